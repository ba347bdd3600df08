import { once } from 'node:events';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { gzipSync } from 'node:zlib';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AwsWorld } from '../cloud/test/aws/aws-world.ts';
import { SkippingClock } from '../cloud/test/aws/skipping-clock.ts';
import { HandAgent } from './src/hand-agent.ts';
import { HandDevice, headOf } from './src/hand-device.ts';
import { askByRest } from './src/rest-door.ts';

/** What docs/hosts.md says to be otherwise on AWS, on the strict gateway. */
let aws: AwsWorld;
let key = '';
const httpClock = new SkippingClock();
beforeAll(async () => {
  aws = await AwsWorld.start({ httpClock });
  key = await aws.addKey();
});
afterAll(() => aws?.stop());

const path = (device: string, rest = '/x') => `/devices/${device}/sources/web${rest}`;

/** A link of the device, welcomed, played by hand. */
async function linkOf(device: HandDevice, features = ['resend', 'upload']): Promise<HandAgent> {
  const agent = await device.dial();
  expect(await agent.opened).toBe(true);
  greet(agent, device, features);
  await agent.next('welcome');
  return agent;
}

function greet(agent: HandAgent, { device }: HandDevice, features = ['resend', 'upload']): void {
  const sources = [{ name: 'web', kind: 'http', methods: ['GET', 'POST'] }];
  agent.sendHello(device, { sources, features });
}

/** A pull whose answer is seen byte for byte. */
async function rawPull(device: string, world = aws, caller = key): Promise<IncomingMessage> {
  const headers = { 'Pullwire-Key': caller };
  const client = requestHttp(world.url + path(device), { headers, agent: false });
  client.end();
  const [answer] = (await once(client, 'response')) as [IncomingMessage];
  return answer;
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

async function problemOf(answer: IncomingMessage): Promise<unknown> {
  return JSON.parse(await textOf(answer));
}

async function presenceOf(device: string): Promise<unknown> {
  const answer = await fetch(`${aws.url}/devices/${device}`, { headers: { 'Pullwire-Key': key } });
  return answer.json();
}

/** The first line with these fields. */
async function lineOf(fields: Record<string, unknown>): Promise<Record<string, unknown>> {
  for (let count = 1; ; count += 1) {
    const found = aws.log.find((line) =>
      Object.entries(fields).every(([name, value]) => line[name] === value),
    );
    if (found !== undefined) return found;
    await aws.logged('pull', count);
  }
}

describe('an agent on AWS', () => {
  test('speaks JSON: whoever offers only the other encoding is refused', async () => {
    const device = await HandDevice.add(aws, 'plant-1');
    const dial = async (...protocols: string[]) =>
      new HandAgent({ url: aws.linkUrl, token: await device.token(), protocols });
    const both = await dial('pullwire.v1+bin', 'pullwire.v1+json');
    expect([await both.opened, both.protocol]).toEqual([true, 'pullwire.v1+json']);
    both.terminate();
    const bin = await dial('pullwire.v1+bin');
    expect((await bin.closed).status).toBe(426);
  });

  test('that was removed is refused at the handshake like one that never was', async () => {
    const device = await HandDevice.add(aws, 'plant-2');
    await aws.registry.removeDevice('plant-2');
    const refused = await device.dial();
    const body = expect.not.stringMatching('pullwire');
    expect(await refused.closed).toMatchObject({ status: 401, body });
  });

  test('hears that it was replaced when the newer link says hello', async () => {
    const device = await HandDevice.add(aws, 'plant-3');
    const older = await linkOf(device);
    const newer = await device.dial();
    expect(await newer.opened).toBe(true);
    expect(older.received).toEqual([]);
    newer.sendHello('plant-3');
    expect(await older.next('bye')).toMatchObject({ code: 'replaced' });
    // The backend cannot choose the code.
    expect((await older.closed).code).toBe(1000);
    newer.terminate();
  });

  test('gets no pull before its hello: those go to the link that it replaces', async () => {
    const device = await HandDevice.add(aws, 'plant-9');
    const first = await device.dial();
    expect(await first.opened).toBe(true);
    expect(await problemOf(await rawPull('plant-9'))).toMatchObject({ code: 'device-offline' });
    first.terminate();
    await first.closed;
    await aws.gateway.settled();
    const older = await linkOf(device);
    const newer = await device.dial();
    expect(await newer.opened).toBe(true);
    const asked = rawPull('plant-9');
    older.send(headOf(await older.next('pull'), 'still here'));
    expect(await textOf(await asked)).toBe('still here');
    greet(newer, device);
    await newer.next('welcome');
    const next = rawPull('plant-9');
    newer.send(headOf(await newer.next('pull'), 'here now'));
    expect(await textOf(await next)).toBe('here now');
    newer.terminate();
  });

  test('whose path is dead counts as connected until its link expires or a post tells', async () => {
    const device = await HandDevice.add(aws, 'plant-4');
    const agent = await linkOf(device);
    const { connectionId = '' } = (await aws.registry.link('plant-4', 'main')) ?? {};
    aws.gateway.cut(connectionId);
    await agent.closed;
    expect(await presenceOf('plant-4')).toMatchObject({ presence: 'connected' });
    const isPull = ({ text }: { text: string }) => text.includes('"action":"pull"');
    aws.gateway.faults.failCall({ status: 410, when: isPull });
    expect((await rawPull('plant-4')).statusCode).toBe(503);
    const line = { function: 'http', device: 'plant-4', instance: 'main', connectionId };
    expect(aws.log.filter(({ code }) => code === 'gone')).toEqual([expect.objectContaining(line)]);
    expect(await presenceOf('plant-4')).toMatchObject({ presence: 'offline', why: 'gone' });
  });
});

describe('a link that is proven on demand', () => {
  const probe = async (id: string) => {
    const headers = { 'Pullwire-Key': key };
    return (await fetch(`${aws.url}/devices/${id}?probe=1`, { headers })).json();
  };

  test('is offline where the post is answered 410, and the registry has its last word', async () => {
    const device = await HandDevice.add(aws, 'plant-20');
    const agent = await linkOf(device, ['probe']);
    const { connectionId = '' } = (await aws.registry.link('plant-20', 'main')) ?? {};
    aws.gateway.cut(connectionId);
    await agent.closed;
    expect(await presenceOf('plant-20')).toMatchObject({ presence: 'connected' });
    const isProbe = ({ text }: { text: string }) => text.includes('"action":"probe"');
    aws.gateway.faults.failCall({ status: 410, when: isProbe });
    expect(await probe('plant-20')).toMatchObject({
      presence: 'offline',
      why: 'gone',
      links: [{ probe: { answered: false, why: 'gone' } }],
    });
    expect(await aws.registry.link('plant-20', 'main')).toMatchObject({ closedWhy: 'gone' });
  });

  test('of an agent that knows no probes stays as the registry has it', async () => {
    const device = await HandDevice.add(aws, 'plant-21');
    const agent = await linkOf(device);
    expect(await probe('plant-21')).toMatchObject({
      presence: 'connected',
      links: [{ probe: { answered: false, why: 'unsupported' } }],
    });
    expect(agent.received).toEqual([]);
    agent.terminate();
  });
});

describe('a device that is removed on AWS', () => {
  test('by the operator’s command gets pulls for 10 s at most', async () => {
    const device = await HandDevice.add(aws, 'plant-10');
    const agent = await linkOf(device);
    const ask = async () => {
      const asked = rawPull('plant-10');
      agent.send(headOf(await agent.next('pull'), 'fine'));
      return (await asked).statusCode;
    };
    expect(await ask()).toBe(200);
    await aws.registry.removeDevice('plant-10');
    expect(await ask()).toBe(200);
    httpClock.skip(10_000);
    expect((await rawPull('plant-10')).statusCode).toBe(404);
    expect(agent.received).toEqual([]); // its link ends with its time
    agent.terminate();
  });

  test('by DELETE loses its link at once', async () => {
    const device = await HandDevice.add(aws, 'plant-11');
    const agent = await linkOf(device);
    const headers = { 'Pullwire-Key': key };
    const removed = await fetch(`${aws.url}/devices/plant-11`, { method: 'DELETE', headers });
    expect(removed.status).toBe(204);
    expect(await agent.next('bye')).toMatchObject({ code: 'revoked' });
    await agent.closed;
  });
});

describe('a caller on AWS', () => {
  test('gets a head without reason, whose headers repeat as cookies only, some under other names', async () => {
    const device = await HandDevice.add(aws, 'plant-5');
    const agent = await linkOf(device);
    const asked = rawPull('plant-5');
    const pull = await agent.next('pull');
    const zipped = gzipSync('the body');
    agent.send({
      ...headOf(pull, ''),
      status: 401,
      reason: 'Not you',
      body: zipped.toString('base64'),
      headers: [
        ...['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'X-List', '1', 'x-list', '2'],
        ...['WWW-Authenticate', 'Basic', 'Content-Length', String(zipped.length)],
        ...['Content-Encoding', 'gzip', 'Trailer', 'X-Sum'],
      ],
    });
    const answer = await asked;
    expect([answer.statusCode, answer.statusMessage]).toEqual([401, 'Unauthorized']);
    expect(answer.headers).toMatchObject({
      'set-cookie': ['a=1', 'b=2'],
      'x-list': '1, 2',
      'x-amzn-remapped-www-authenticate': 'Basic',
      'x-amzn-remapped-content-length': String(zipped.length),
      'transfer-encoding': 'chunked',
    });
    for (const name of ['www-authenticate', 'content-encoding', 'content-length', 'trailer']) {
      expect(answer.headers).not.toHaveProperty(name);
    }
    expect(await textOf(answer)).toBe('the body');
    agent.terminate();
  });

  test('that leaves is not noticed: its pull runs on', async () => {
    const device = await HandDevice.add(aws, 'plant-6');
    const agent = await linkOf(device);
    const leaving = new AbortController();
    const { signal } = leaving;
    const headers = { 'Pullwire-Key': key };
    const asked = fetch(aws.url + path('plant-6'), { headers, signal });
    const pull = await agent.next('pull');
    leaving.abort();
    await expect(asked).rejects.toThrow('abort');
    agent.send(headOf(pull, 'for nobody'));
    const ended = await lineOf({ pullId: pull['pullId'], status: 200 });
    expect(ended['code']).toBeUndefined();
    expect(agent.received).toEqual([]); // no cancel
    agent.terminate();
  });

  test('whose key was revoked gets through for 10 s at most', async () => {
    const revoked = await aws.addKey();
    const ask = async () => {
      const headers = { 'Pullwire-Key': revoked };
      return (await fetch(`${aws.url}/devices`, { headers })).status;
    };
    expect(await ask()).toBe(200);
    await aws.registry.revokeKey(revoked.split('_')[1] ?? '', Date.now());
    expect(await ask()).toBe(200);
    httpClock.skip(10_000);
    expect(await ask()).toBe(401);
  });

  test('of an event stream is cut off before the function’s 15 minutes are over, and may see a clean end', async () => {
    const clock = new ManualClock();
    clock.advance(Date.now());
    const world = await AwsWorld.start({ httpClock: clock });
    const device = await HandDevice.add(world, 'plant-7');
    const agent = await linkOf(device);
    const asked = rawPull('plant-7', world, await world.addKey());
    const pull = await agent.next('pull');
    const { pullId, replyTo } = pull;
    const type = ['Content-Type', 'text/event-stream'];
    agent.send({ ...headOf(pull, 'data: 0\n\n'), headers: type, end: false });
    const answer = (await asked).setEncoding('utf8');
    const events = answer[Symbol.asyncIterator]();
    expect((await events.next()).value).toBe('data: 0\n\n');
    const body = Buffer.from('data: 1\n\n').toString('base64');
    for (let seq = 1; seq <= 17; seq += 1) {
      clock.advance(50_000);
      agent.send({ action: 'body', pullId, replyTo, seq, body, end: false });
      expect((await events.next()).value).toBe('data: 1\n\n');
    }
    clock.advance(45_000);
    expect(await events.next()).toMatchObject({ done: true });
    expect(await agent.next('cancel')).toMatchObject({ reason: 'relay' });
    expect(world.log.filter((line) => line['code'] === 'stream-limit')).toHaveLength(1);
    agent.terminate();
    await world.stop();
  });
});

describe('a caller behind the REST API', () => {
  test('asks the same function: path as it came, query encoded anew, bytes as they are', async () => {
    const device = await HandDevice.add(aws, 'plant-8');
    const agent = await linkOf(device);
    const asked = askByRest(aws, {
      method: 'POST',
      path: path('plant-8', '/a%2Fb//c/'),
      headers: { 'Pullwire-Key': [key], 'X-A': ['1', '2'], Host: ['api.example.com'] },
      query: { q: ['a b', 'c&d'] },
      body: Buffer.from([0, 255]),
    });
    const pull = await agent.next('pull');
    expect(pull).toMatchObject({
      method: 'POST',
      path: '/a%2Fb//c/',
      query: 'q=a%20b&q=c%26d',
      headers: ['X-A', '1', 'X-A', '2', 'Via', '1.1 pullwire'],
      body: 'AP8=',
    });
    agent.send({ ...headOf(pull, 'fine'), headers: ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2'] });
    const { body, ...head } = await asked;
    expect(head).toMatchObject({ statusCode: 200, cookies: ['a=1', 'b=2'] });
    expect(head.headers).toMatchObject({ 'pullwire-answered-by': 'upstream' });
    expect(body.toString()).toBe('fine');
    agent.terminate();
  });
});
