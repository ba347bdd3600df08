import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { generateEnrolCode, hashEnrolCode } from '../cloud/src/enroll/enrol-code.ts';
import { attackHosts } from './src/attack-host.ts';
import {
  attacks,
  attacksAt,
  type EnrollAttack,
  type FrameAttack,
  type HttpAttack,
  type LinkAttack,
} from './src/attack-row.ts';
import { AttackStage, truth } from './src/attack-stage.ts';
import type { HandAgent, LinkClose, WireFrame } from './src/hand-agent.ts';
import { RawConnection } from './src/raw-http.ts';

test('the table has at least 60 attacks, each with a name of its own', () => {
  expect(attacks.length).toBeGreaterThanOrEqual(60);
  expect(new Set(attacks.map(({ at, name }) => `${at} ${name}`)).size).toBe(attacks.length);
});

describe.each(attackHosts)('on %s', (name) => {
  let stage: AttackStage;
  let victim: HandAgent;

  beforeAll(async () => {
    stage = await AttackStage.start(name);
    victim = await stage.link('victim');
    await victim.next('welcome');
    await stage.settled();
  });

  afterAll(async () => {
    await stage?.stop();
  });

  describe('what is honest passes', () => {
    test('a device by its key', async () => {
      const link = await stage.link('mallory');
      expect((await link.next('welcome'))['version']).toBe(1);
    });

    test('a caller by a key, in either header', async () => {
      const path = '/devices/plant-7/sources/web/x';
      const asked = await stage.ask(path, {
        headers: { 'Pullwire-Key': stage.fill('{key:full}') },
      });
      expect(asked.status).toBe(200);
      const authorization = stage.fill('Bearer {key:narrow}');
      const borne = await stage.ask(path, { headers: { Authorization: authorization } });
      expect(borne.status).toBe(200);
    });

    test('a caller and a device by an issuer’s token', async () => {
      const claims = { iss: '{issuer}', aud: 'pullwire' };
      const caller = stage.token({
        key: 'issuer',
        alg: 'RS256',
        claims: { ...claims, sub: 'eve', groups: ['dev', 'ops'] },
      });
      const answer = await stage.ask('/devices/plant-7/sources/web/x', {
        headers: { Authorization: `Bearer ${caller}` },
      });
      expect(answer.status).toBe(200);
      expect(stage.originHeaders['authorization']).toBeUndefined();
      const token = stage.token({
        key: 'issuer',
        alg: 'RS256',
        claims: { ...claims, sub: 'vouched' },
      });
      const link = await stage.dial({ token });
      link.sendHello('vouched');
      expect((await link.next('welcome'))['version']).toBe(1);
    });
  });

  test.each(attacksAt('link'))('handshake: $name', async (row) => {
    const answer = await dial(stage, row);
    expect([row.status].flat()).toContain(answer.status);
    // Whatever it was, the answer says nothing of it but where a valid key was revoked.
    if (answer.status === 401) expect(answer.body ?? '').not.toContain('revoked');
  });

  test.each(attacksAt('http'))('caller: $name', async (row) => {
    const before = stage.reached;
    const { status, body } = await ask(stage, row);
    expect([row.status].flat()).toContain(status);
    if (row.code !== undefined) expect(body).toContain(`"code":"${row.code}"`);
    if (status >= 400) expect(stage.reached).toBe(before);
  });

  test.each(attacksAt('frame'))('frame: $name', async (row) => {
    const answer = stage.ask('/devices/victim/sources/web/x', {
      headers: { 'Pullwire-Key': stage.fill('{key:full}') },
    });
    const pull = await victim.next('pull');
    await attackByFrame(stage, row, pull);
    victim.send(truth(pull));
    expect(await (await answer).text()).toBe('the truth');
    const record = await stage.registry.deviceRecord('mallory');
    expect(record?.publicKey).toBe(stage.keys.publicText('mallory'));
    expect(record?.nextKey).toBeUndefined();
    expect(record?.labels).toEqual({});
  });

  test.each(attacksAt('enroll'))('enrolment: $name', async (row) => {
    const body = await enrolment(stage, row);
    const answer = await stage.ask('/enroll', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    const text = await answer.text();
    expect([answer.status, text]).toEqual([row.status, expect.any(String)]);
    if (row.status === 401) {
      expect(JSON.parse(text)).toMatchObject({ code: 'enrolment-refused' });
      refusals.add(text);
    }
    const device = String(body['device'] ?? '');
    const record = /^[a-z0-9-]+$/.test(device)
      ? await stage.registry.deviceRecord(device)
      : undefined;
    if (row.status === 201)
      expect(record).toMatchObject({ labels: {}, publicKey: body['publicKey'] });
    else expect(record?.publicKey).not.toBe(row.publicKey === undefined ? body['publicKey'] : '');
  });

  const refusals = new Set<string>();
  test('every refusal of an enrolment is the same, byte for byte', () => {
    expect(refusals.size).toBe(1);
  });

  test.each(attacksAt('upstream'))('upstream: $name', async ({ path, headers, hidden }) => {
    const { status } = await ask(stage, { path, headers });
    expect(status).toBe(200);
    for (const header of hidden) expect(stage.originHeaders[header]).toBeUndefined();
    expect(JSON.stringify(stage.originHeaders)).not.toContain(stage.fill('{key:full}'));
  });

  test('a token opens one link', async () => {
    const token = stage.token({ key: 'mallory' });
    const first = await stage.dial({ token });
    first.sendHello('mallory');
    await first.next('welcome');
    for (let again = 0; again < 3; again += 1) {
      expect((await (await stage.dial({ token })).closed).status).toBe(401);
    }
    first.sendHello('mallory');
    expect((await first.next('welcome'))['version']).toBe(1);
  });

  test('no log has a secret in it', async () => {
    await stage.settled();
    const { logs } = stage;
    const lastParts = stage.secrets.map((secret) => secret.split('.').at(-1) ?? secret);
    const found = [...stage.secrets, ...lastParts, ...stage.keys.secrets].filter(
      (secret) => secret.length > 20 && logs.includes(secret),
    );
    expect(found).toEqual([]);
    expect(logs.length).toBeGreaterThan(1_000);
  });
});

/** The handshake of the row, with its credential where the row wants it. */
async function dial(stage: AttackStage, row: LinkAttack): Promise<LinkClose> {
  const token = row.token === undefined ? stage.fill(row.credential ?? '') : stage.token(row.token);
  const bearer = row.token !== undefined || row.credential !== undefined;
  const places = {
    bearer: bearer ? { token } : {},
    query: { url: `${stage.linkUrl}?token=${token}` },
    subprotocol: { protocols: ['pullwire.v1+json', token] },
    basic: { headers: { Authorization: `Basic ${token}` } },
    cookie: { headers: { Cookie: `token=${token}` } },
    'pullwire-key': { headers: { 'Pullwire-Key': token } },
  };
  return (await stage.dial(places[row.by ?? 'bearer'])).closed;
}

/** Byte for byte: a client that tidies up paths would hide what is tried here. */
async function ask(
  stage: AttackStage,
  row: Pick<HttpAttack, 'method' | 'path' | 'headers' | 'token' | 'body'>,
): Promise<{ status: number; body: string }> {
  const token = row.token === undefined ? '' : stage.token(row.token);
  const fill = (text: string): string => stage.fill(text).replaceAll('{token}', token);
  const { host, port } = new URL(stage.url);
  const method = row.method ?? 'GET';
  const headers = [
    ['Host', host],
    ...Object.entries(stage.from()),
    ...(row.headers ?? []),
    ['Connection', 'close'],
    ...(method === 'GET' || method === 'HEAD' ? [] : [['Content-Length', '0']]),
  ];
  const lines = headers.map(([name, value]) => `${name}: ${fill(value as string)}`);
  const connection = await RawConnection.open({ port: Number(port) });
  try {
    await connection.send(`${method} ${fill(row.path)} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
    const reply = await connection.reply(method);
    return { status: reply.status, body: reply.bytes.toString() };
  } finally {
    connection.close();
  }
}

/** Says hello as the row has it, sends its frames, and waits until the relay has dealt with them. */
async function attackByFrame(stage: AttackStage, row: FrameAttack, pull: WireFrame): Promise<void> {
  const link = await stage.link('mallory', row.hello);
  if (row.hello !== undefined && row.bye !== undefined) {
    return void expect(await link.next('bye')).toMatchObject({ code: row.bye });
  }
  await link.next('welcome');
  for (const frame of row.frames ?? []) link.send(await filled(stage, frame, pull));
  if (row.bye !== undefined) {
    return void expect(await link.next('bye')).toMatchObject({ code: row.bye });
  }
  if (row.frames?.some(({ action }) => action === 'rotate') === true) {
    expect((await link.next('rotated'))['refused']).toBe('no-proof');
  }
  link.sendHello('mallory'); // frames are handled in turn on one box: the answer to this one comes last
  await link.next('welcome');
  await stage.settled();
  link.terminate();
}

async function filled(
  stage: AttackStage,
  frame: Readonly<Record<string, unknown>>,
  pull: WireFrame,
): Promise<WireFrame> {
  const proofs: Readonly<Record<string, () => Promise<string>>> = {
    '{proof:mallory}': () => stage.proof('mallory', 'rotate:mallory'),
    '{proof:stranger:enroll}': () => stage.proof('stranger', 'enroll:mallory'),
    '{proof:stranger:plant-7}': () => stage.proof('stranger', 'rotate:plant-7'),
  };
  const entries = Object.entries(frame).map(async ([name, value]) => {
    if (value === '{pull}') return [name, pull['pullId']];
    if (value === '{replyTo}') return [name, pull['replyTo']];
    if (typeof value !== 'string') return [name, value];
    return [name, (await proofs[value]?.()) ?? stage.fill(value)];
  });
  return Object.fromEntries(await Promise.all(entries)) as WireFrame;
}

/** The body of a `POST /enroll` as the row has it. */
async function enrolment(stage: AttackStage, row: EnrollAttack): Promise<Record<string, unknown>> {
  const key = stage.newDeviceKey();
  const code = await codeOf(stage, row);
  const publicKey = {
    good: () => stage.keys.publicText(key),
    rsa: () => stage.keys.publicText(key).replace('ed25519', 'rsa'),
    short: () => stage.keys.publicText(key).slice(0, -4),
    'of-plant-7': () => stage.keys.publicText('plant-7'),
  }[row.publicKey ?? 'good']();
  const proof = await proofOf(stage, row, key, code);
  return {
    code,
    publicKey,
    ...(proof === undefined ? {} : { proof }),
    ...(row.device === undefined ? {} : { device: row.device }),
    ...row.fields,
  };
}

async function codeOf(stage: AttackStage, row: EnrollAttack): Promise<string> {
  const past = Math.floor(Date.now() / 1_000) - 1;
  switch (row.code) {
    case 'wrong':
      return generateEnrolCode().code;
    case 'expired':
      return stage.code({ expiresAt: past, device: 'mallory-2' });
    case 'bound':
      return stage.code({ device: 'mallory-3' });
    case 'caller-key':
      return stage.fill('{key:full}');
    case 'cut':
      return (await stage.code({ device: 'mallory-2' })).slice(0, -1);
    case 'removed': {
      const code = await stage.code({ device: 'mallory-2' });
      await stage.registry.removeEnrolCode(code.split('_')[1] ?? '');
      return code;
    }
    case 'spent': {
      const code = await stage.code({ device: 'mallory-2' });
      const use = {
        device: 'mallory-2',
        publicKey: stage.keys.publicText('stranger'),
        at: Date.now(),
      };
      expect(await stage.registry.spendEnrolCode(hashEnrolCode(code), use)).toBe(true);
      return code;
    }
    default:
      return stage.code();
  }
}

async function proofOf(
  stage: AttackStage,
  { proof = 'good' }: EnrollAttack,
  key: string,
  code: string,
): Promise<string | undefined> {
  const purpose = `enroll:${hashEnrolCode(code)}`;
  switch (proof) {
    case 'good':
      return stage.proof(key, purpose);
    case 'none':
      return undefined;
    case 'stranger':
      return stage.proof('stranger', purpose);
    case 'other-code':
      return stage.proof(key, `enroll:${hashEnrolCode(generateEnrolCode().code)}`);
    case 'rotation':
      return stage.proof(key, 'rotate:fresh');
    case 'handshake':
      return stage.token({
        key,
        claims: { sub: 'fresh', key: stage.keys.publicText(key), for: purpose },
      });
  }
}
