import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { inspect } from 'node:util';
import { PullFault, systemClock } from '@pullwire/shared';
import { CompactSign } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FakeExchange } from '../../test/fake-exchange.ts';
import { problem } from '../http/problem.ts';
import { DynamoRegistry } from '../registry/dynamo-registry.ts';
import type { EnrolCodeRecord } from '../registry/registry.ts';
import { RegistryError } from '../registry/registry-error.ts';
import { type TemporaryEngine, temporaryEngine } from '../server/temporary-engine.ts';
import { generateEnrolCode, hashEnrolCode, isEnrolCode } from './enrol-code.ts';
import { Enrolment, type EnrolmentOptions } from './enrolment.ts';

let engine: TemporaryEngine;
let registry: DynamoRegistry;
let client: ReturnType<TemporaryEngine['engine']['createClient']>;
let refusals: string[];
let enrolled: string[];
let failures: number;
let wall = Date.now();

beforeAll(async () => {
  engine = await temporaryEngine();
  client = engine.engine.createClient();
  registry = new DynamoRegistry({ client, name: 'pullwire', mayCreateTable: true });
  await registry.ensureSchema();
});

afterAll(async () => {
  client.destroy();
  await engine.remove();
});

beforeEach(() => {
  refusals = [];
  enrolled = [];
  failures = 0;
  wall = Date.now();
});

const enrolment = (changes: Partial<EnrolmentOptions> = {}) =>
  new Enrolment({
    registry,
    clock: { ...systemClock, wall: () => wall },
    linkUrl: 'wss://relay.example/link',
    throttle: {
      check: () => undefined,
      failed: () => {
        failures += 1;
      },
    },
    events: {
      enrolled: ({ device }) => enrolled.push(device),
      refused: ({ reason }) => refusals.push(reason),
    },
    ...changes,
  });

let devices = 0;
const newDevice = (): string => {
  devices += 1;
  return `device-${devices}`;
};

async function newCode(changes: Partial<EnrolCodeRecord> = {}): Promise<string> {
  const { id, code, hash } = generateEnrolCode();
  const expiresAt = Math.ceil(wall / 1_000) + 600;
  await registry.addEnrolCode({ id, hash, labels: {}, createdAt: wall, expiresAt, ...changes });
  return code;
}

const newKey = (): KeyObject => generateKeyPairSync('ed25519').privateKey;
const textOf = (key: KeyObject): string =>
  `ed25519:${createPublicKey(key).export({ format: 'jwk' }).x}`;

async function requestOf(code: string, key: KeyObject, device?: string) {
  const payload = JSON.stringify({ key: textOf(key), for: `enroll:${hashEnrolCode(code)}` });
  const proof = await new CompactSign(new TextEncoder().encode(payload))
    .setProtectedHeader({ alg: 'EdDSA', typ: 'pullwire-key+jwt' })
    .sign(key);
  return { code, publicKey: textOf(key), proof, ...(device === undefined ? {} : { device }) };
}

const killed = async (): Promise<never> => {
  throw new Error('killed');
};

type EnrolRegistry = EnrolmentOptions['registry'];

/** The registry with some methods in the place of its own. */
function failingAt(changes: Partial<EnrolRegistry>): EnrolRegistry {
  return {
    enrolCodeByHash: (hash) => registry.enrolCodeByHash(hash),
    spendEnrolCode: (hash, use) => registry.spendEnrolCode(hash, use),
    finishEnrolCode: (hash, at) => registry.finishEnrolCode(hash, at),
    deviceRecord: (id) => registry.deviceRecord(id),
    addDevice: (record) => registry.addDevice(record),
    replaceDevice: (record) => registry.replaceDevice(record),
    ...changes,
  };
}

/** The answer, or the fault. */
async function send(body: unknown, use: Enrolment, type = 'application/json') {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const headers = ['Content-Type', type];
  const exchange = new FakeExchange({ method: 'POST', headers, bodyLength: bytes.length });
  const answer = use.enrol(exchange);
  await Promise.resolve();
  exchange.sink?.chunk(bytes);
  exchange.sink?.end([]);
  return answer;
}

/** Everything that the host is told of an enrolment. */
const faultOf = (body: unknown, use: Enrolment): Promise<unknown> =>
  send(body, use).then(
    (answer) => `${answer.headers.join()}${Buffer.from(answer.body)}`,
    (fault: PullFault) => [fault, fault.cause, fault.stack, problemText(fault)],
  );

const problemText = (fault: PullFault): string =>
  Buffer.from(problem(fault, { method: 'POST', answeredBy: 'relay' }).body).toString();

/** Status and body of the answer, or the fault. */
async function post(body: unknown, use = enrolment(), type?: string) {
  return send(body, use, type).then(
    ({ status, body: text }) => ({
      status,
      ...(JSON.parse(Buffer.from(text).toString()) as object),
    }),
    (fault: { status: number; code: string; message: string }) => ({
      status: fault.status,
      code: fault.code,
      detail: fault.message,
    }),
  );
}

const refused = expect.objectContaining({ status: 401, code: 'enrolment-refused' });

describe('an enrolment code', () => {
  it('has 160 random bits, a form of its own, and is stored as its hash', () => {
    const { id, code, hash } = generateEnrolCode();
    expect(code).toMatch(new RegExp(`^pwe_${id}_[a-z2-9]{32}$`));
    expect(isEnrolCode(code)).toBe(true);
    expect(hash).toBe(hashEnrolCode(code));
    expect(hash).not.toContain(code.slice(11));
    for (const wrong of ['', code.slice(1), `${code}a`, code.toUpperCase(), `${code}\n`])
      expect(isEnrolCode(wrong)).toBe(false);
  });
});

describe('a device that brings its key with a code', () => {
  it('is known from then on, with the labels of the code', async () => {
    const device = newDevice();
    const code = await newCode({ device, labels: { site: 'north' } });
    const key = newKey();
    const answer = await post({ ...(await requestOf(code, key)), labels: { site: 'mine' } });
    expect(answer).toEqual({
      status: 201,
      device,
      labels: { site: 'north' },
      linkUrl: 'wss://relay.example/link',
    });
    const record = await registry.deviceRecord(device);
    expect(record).toMatchObject({ publicKey: textOf(key), labels: { site: 'north' } });
    expect(enrolled).toEqual([device]);
  });

  it('names itself where the code does not', async () => {
    const device = newDevice();
    const code = await newCode();
    const request = await requestOf(code, newKey());
    expect(await post(request)).toMatchObject({ status: 400, code: 'bad-request' });
    expect(await post({ ...request, device })).toMatchObject({ status: 201, device });
  });

  it('is let in once, and a second one is not', async () => {
    const code = await newCode({ device: newDevice() });
    expect(await post(await requestOf(code, newKey()))).toMatchObject({ status: 201 });
    expect(await post(await requestOf(code, newKey()))).toEqual(refused);
    expect(refusals).toEqual(['spent']);
    expect(failures).toBe(1);
  });

  it('may ask again with the same key: answers get lost', async () => {
    const code = await newCode({ device: newDevice() });
    const request = await requestOf(code, newKey());
    expect(await post(request)).toMatchObject({ status: 201 });
    expect(await post(request)).toMatchObject({ status: 201 });
  });

  it('is written by the second try where the relay died between spending and writing', async () => {
    const device = newDevice();
    const code = await newCode({ device });
    const request = await requestOf(code, newKey());
    await post(request, enrolment({ registry: failingAt({ addDevice: killed }) }));
    expect(await registry.deviceRecord(device)).toBeUndefined();
    expect(await post(await requestOf(code, newKey()))).toEqual(refused);
    expect(await post(request)).toMatchObject({ status: 201 });
    expect((await registry.deviceRecord(device))?.publicKey).toBe(request.publicKey);
  });

  it('is written by the second try where the relay died before it noted that it had written', async () => {
    const device = newDevice();
    const code = await newCode({ device });
    const request = await requestOf(code, newKey());
    await post(request, enrolment({ registry: failingAt({ finishEnrolCode: killed }) }));
    expect((await registry.enrolCodeByHash(hashEnrolCode(code)))?.doneAt).toBeUndefined();
    expect(await post(request)).toMatchObject({ status: 201 });
    expect((await registry.enrolCodeByHash(hashEnrolCode(code)))?.doneAt).toBe(wall);
  });

  it('is let in where the registry says of our own write, sent twice, that somebody was quicker', async () => {
    const request = await requestOf(await newCode({ device: newDevice() }), newKey());
    const repeating = failingAt({
      spendEnrolCode: async (hash, use) => {
        await registry.spendEnrolCode(hash, use);
        return registry.spendEnrolCode(hash, use);
      },
    });
    expect(await post(request, enrolment({ registry: repeating }))).toMatchObject({ status: 201 });
  });

  it('is let in by each of its own requests at once', async () => {
    for (let round = 0; round < 10; round += 1) {
      const request = await requestOf(await newCode({ device: newDevice() }), newKey());
      const answers = await Promise.all([post(request), post(request), post(request)]);
      expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
    }
  });

  it('is not let in by a code that the operator took back meanwhile', async () => {
    const device = newDevice();
    const { id, code, hash } = generateEnrolCode();
    const expiresAt = Math.ceil(wall / 1_000) + 600;
    await registry.addEnrolCode({ id, hash, device, labels: {}, createdAt: wall, expiresAt });
    const slow = failingAt({
      spendEnrolCode: async (of, use) => {
        await registry.removeEnrolCode(id);
        return registry.spendEnrolCode(of, use);
      },
    });
    const request = await requestOf(code, newKey());
    expect(await post(request, enrolment({ registry: slow }))).toEqual(refused);
    expect(await registry.deviceRecord(device)).toBeUndefined();
  });

  it('that is known with this very key, as after it was set up anew, is given the labels of the code', async () => {
    const device = newDevice();
    const key = newKey();
    await post(await requestOf(await newCode({ device }), key));
    const again = await newCode({ device, labels: { site: 'south' } });
    expect(await post(await requestOf(again, key))).toMatchObject({ status: 201 });
    expect((await registry.deviceRecord(device))?.labels).toEqual({ site: 'south' });
  });

  it('that was revoked does not come back with its own key and a code that replaces nothing', async () => {
    const device = newDevice();
    const key = newKey();
    await post(await requestOf(await newCode({ device }), key));
    await registry.revokeDevice(device, { at: wall, why: 'stolen' });
    const unbound = await newCode();
    const taken = { status: 409, code: 'device-taken' };
    expect(await post(await requestOf(unbound, key, device))).toMatchObject(taken);
    expect((await registry.deviceRecord(device))?.revokedAt).toBe(wall);
    expect((await registry.enrolCodeByHash(hashEnrolCode(unbound)))?.spent).toBeUndefined();
  });

  it('that was revoked while its enrolment was half done is not let in by the second try', async () => {
    const device = newDevice();
    const request = await requestOf(await newCode({ device, replaces: true }), newKey());
    await post(request, enrolment({ registry: failingAt({ finishEnrolCode: killed }) }));
    wall += 1_000;
    await registry.revokeDevice(device, { at: wall, why: 'stolen' });
    expect(await post(request)).toEqual(refused);
    expect((await registry.deviceRecord(device))?.revokedAt).toBe(wall);
  });

  it('that was given another key since is not given its old one back', async () => {
    const device = newDevice();
    const request = await requestOf(await newCode({ device }), newKey());
    await post(request);
    const next = textOf(newKey());
    await registry.offerKey(device, request.publicKey, next);
    await registry.promoteKey(device, next);
    expect(await post(request)).toEqual(refused);
    expect((await registry.deviceRecord(device))?.publicKey).toBe(next);
  });

  it('that was removed or revoked is not let in again by its old code', async () => {
    const device = newDevice();
    const code = await newCode({ device });
    const request = await requestOf(code, newKey());
    await post(request);
    await registry.revokeDevice(device, { at: wall, why: 'stolen' });
    expect(await post(request)).toEqual(refused);
    expect((await registry.deviceRecord(device))?.revokedAt).toBe(wall);
    await registry.removeDevice(device);
    expect(await post(request)).toEqual(refused);
    expect(await registry.deviceRecord(device)).toBeUndefined();
  });

  it('takes no device over that is known, unless the code says so', async () => {
    const device = newDevice();
    await post(await requestOf(await newCode({ device }), newKey()));
    const unbound = await newCode();
    const key = newKey();
    expect(await post(await requestOf(unbound, key, device))).toMatchObject({
      status: 409,
      code: 'device-taken',
    });
    // It cost no code.
    expect(await post(await requestOf(unbound, key, newDevice()))).toMatchObject({ status: 201 });
    await registry.revokeDevice(device, { at: wall, why: 'stolen' });
    const replacing = await newCode({ device, replaces: true });
    const fresh = newKey();
    expect(await post(await requestOf(replacing, fresh))).toMatchObject({ status: 201 });
    const record = await registry.deviceRecord(device);
    expect(record?.publicKey).toBe(textOf(fresh));
    expect(record?.revokedAt).toBeUndefined();
  });

  it('wins alone of two that race, 200 times', async () => {
    for (let round = 0; round < 200; round += 1) {
      const device = newDevice();
      const code = await newCode({ device });
      const keys = [newKey(), newKey()];
      const requests = await Promise.all(keys.map((key) => requestOf(code, key)));
      const answers = await Promise.all(requests.map((request) => post(request)));
      expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 401]);
      const winner = requests[answers.findIndex(({ status }) => status === 201)];
      expect((await registry.deviceRecord(device))?.publicKey).toBe(winner?.publicKey);
    }
  }, 60_000);
});

describe('two devices that name themselves alike', () => {
  it('with codes of their own: one is let in, the other is told that the id is taken', async () => {
    for (let round = 0; round < 20; round += 1) {
      const device = newDevice();
      const requests = await Promise.all(
        [1, 2].map(async () => requestOf(await newCode(), newKey(), device)),
      );
      const answers = await Promise.all(requests.map((request) => post(request)));
      expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409]);
      const winner = requests[answers.findIndex(({ status }) => status === 201)];
      expect((await registry.deviceRecord(device))?.publicKey).toBe(winner?.publicKey);
    }
  });

  it('with one code: one is let in under its name, whatever the other one calls itself', async () => {
    for (let round = 0; round < 20; round += 1) {
      const code = await newCode();
      const names = [newDevice(), newDevice()];
      const requests = await Promise.all(names.map((name) => requestOf(code, newKey(), name)));
      const answers = await Promise.all(requests.map((request) => post(request)));
      expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 401]);
      const known = await Promise.all(names.map((name) => registry.deviceRecord(name)));
      expect(known.filter((record) => record !== undefined)).toHaveLength(1);
    }
  });
});

describe('what is refused', () => {
  it('is refused with one answer, whatever it was', async () => {
    const device = newDevice();
    const key = newKey();
    const good = await newCode({ device });
    const request = await requestOf(good, key);
    const expired = await newCode({ device, expiresAt: Math.floor(wall / 1_000) });
    const stranger = await requestOf(good, newKey());
    const unbound = await newCode();
    await post(await requestOf(unbound, newKey(), newDevice()));
    const late = await newCode({ expiresAt: Math.floor(wall / 1_000) });
    const tries = [
      await requestOf(generateEnrolCode().code, key),
      await requestOf('nonsense', key),
      await requestOf(expired, key),
      { ...request, proof: stranger.proof },
      { ...request, device: 'another' },
      { ...(await requestOf(await newCode({ device }), key)), code: good },
      await requestOf(unbound, key),
      await requestOf(unbound, key, newDevice()),
      await requestOf(late, key),
    ];
    const answers = [];
    for (const attempt of tries) answers.push(JSON.stringify(await post(attempt)));
    expect(new Set(answers).size).toBe(1);
    expect(JSON.parse(answers[0] ?? '')).toEqual(refused);
    expect(refusals).toEqual([
      ...['wrong', 'wrong', 'expired', 'no-proof', 'other-device', 'no-proof'],
      ...['spent', 'spent', 'expired'],
    ]);
    expect(failures).toBe(9);
    expect(await registry.deviceRecord(device)).toBeUndefined();
    expect(await post(request)).toMatchObject({ status: 201 });
  });

  it.each([
    ['no JSON', 'nonsense'],
    ['a list', []],
    ['null', null],
    ['nothing in it', {}],
    ['a code that is no text', { code: 1, proof: 'x', publicKey: textOf(newKey()) }],
    ['a key of another kind', { code: 'x', proof: 'x', publicKey: 'rsa:x' }],
    [
      'a device with a slash',
      { code: 'x', proof: 'x', publicKey: textOf(newKey()), device: 'a/b' },
    ],
    ['a prototype', '{"__proto__":{"code":"x","proof":"x"},"publicKey":"x"}'],
    ['8 KB and more', { code: 'x'.repeat(9_000) }],
  ])('is %s', async (_name, body) => {
    const { status } = await post(body);
    expect([400, 413]).toContain(status);
    expect(refusals).toEqual(['malformed']);
    expect(failures).toBe(0);
  });

  it('is another type than JSON, as a form on a web page would send', async () => {
    expect((await post({}, enrolment(), 'text/plain')).status).toBe(400);
  });

  it('shows neither code nor proof, in an answer, an error or an event', async () => {
    const device = newDevice();
    const code = await newCode({ device });
    const request = await requestOf(code, newKey());
    const told: unknown[] = [];
    const watched = enrolment({
      events: { enrolled: (event) => told.push(event), refused: (event) => told.push(event) },
    });
    const stranger = await requestOf(code, newKey());
    for (const body of [
      request,
      stranger,
      { ...request, proof: stranger.proof },
      { ...request, device: 'a/b' },
      `${JSON.stringify(request)},`,
      { ...request, publicKey: code },
      { ...request, code: [code] },
    ]) {
      told.push(await faultOf(body, watched));
    }
    const all = inspect(told, { depth: 10, showHidden: true });
    expect(told.length).toBe(14);
    for (const secret of [code, code.slice(11), request.proof, hashEnrolCode(code)])
      expect(all).not.toContain(secret);
  });

  it('is told apart from a registry that cannot be read, and counts for no failure then', async () => {
    const down = async () => {
      throw new RegistryError('unavailable', 'down');
    };
    const request = await requestOf(await newCode({ device: newDevice() }), newKey());
    for (const broken of [{ enrolCodeByHash: down }, { deviceRecord: down }, { addDevice: down }]) {
      expect(await post(request, enrolment({ registry: failingAt(broken) }))).toMatchObject({
        status: 503,
        code: 'registry-unavailable',
      });
    }
    expect([refusals, failures]).toEqual([[], 0]);
    expect(await post(request)).toMatchObject({ status: 201 });
  });

  it('is not looked at where too many have failed', async () => {
    const throttle = {
      check: () => {
        throw new PullFault('too-many-attempts', 'caller-auth', { detail: 'later' });
      },
      failed: () => undefined,
    };
    expect(await post({}, enrolment({ throttle }))).toMatchObject({ status: 429 });
    expect(refusals).toEqual(['throttled']);
  });
});
