import { inspect } from 'node:util';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type ScriptedAnswer,
  type ScriptedServer,
  scripted,
  scriptedServer,
} from '../../test/scripted-server.ts';
import { AwsClient, readText } from './https-aws-client.ts';

const credentials = { accessKeyId: 'id', secretAccessKey: 'the-secret', sessionToken: 'the-token' };

let server: ScriptedServer;
let client: AwsClient;
let clock: ManualClock;

afterEach(() => {
  client.stop();
  server.close();
});

async function start(...answers: ScriptedAnswer[]): Promise<void> {
  server = await scriptedServer(...answers);
  clock = new ManualClock();
  clock.advance(Date.parse('2026-01-01T00:00:00Z'));
  const scope = { credentials, region: 'us-east-1', service: 's3' };
  client = new AwsClient({ scope, clock, random: () => 0.5 });
}

const call = async (path = '/') => {
  const answer = await client.call({ method: 'GET', url: new URL(server.url + path) });
  return { status: answer.status, text: await readText(answer) };
};

describe('a call', () => {
  it('is signed, and resolves with a success', async () => {
    let authorization = '';
    await start((response, request) => {
      authorization = String(request.headers.authorization);
      response.end('body');
    });
    expect(await call()).toEqual({ status: 200, text: 'body' });
    expect(authorization).toMatch(/^AWS4-HMAC-SHA256 Credential=id\/20260101\/us-east-1\/s3\//);
  });

  it('is made again after faults that pass, with longer and longer pauses', async () => {
    const cut: ScriptedAnswer = (response) => response.destroy();
    await start(scripted(503, '<Error><Code>SlowDown</Code></Error>'), cut, scripted(200, 'ok'));
    const answered = call();
    await clock.timerOf(50);
    clock.advance(50);
    await clock.timerOf(200);
    clock.advance(200);
    expect((await answered).text).toBe('ok');
    expect(server.requests).toHaveLength(3);
  });

  it('rejects with the third fault', async () => {
    await start(scripted(500, '<Error><Code>InternalError</Code></Error>'));
    const answered = expect(call()).rejects.toMatchObject({ status: 500, code: 'InternalError' });
    for (const pause of [50, 200]) {
      await clock.timerOf(pause);
      clock.advance(pause);
    }
    await answered;
    expect(server.requests).toHaveLength(3);
  });

  it.each([
    [scripted(403, '<Error><Code>AccessDenied</Code></Error>'), 403, 'AccessDenied'],
    [scripted(404), 404, 'without a code'],
    [scripted(400, '{"__type":"com.amazonaws.ssm#ParameterNotFound"}'), 400, 'ParameterNotFound'],
    [
      scripted(400, '{}', { 'x-amzn-errortype': 'ValidationException:http://x' }),
      400,
      'ValidationException',
    ],
  ])('is not made again where that would not help (%#)', async (answer, status, code) => {
    await start(answer);
    await expect(call()).rejects.toMatchObject({ status, code });
    expect(server.requests).toHaveLength(1);
  });

  it('tells nothing of its credentials in an error', async () => {
    await start(scripted(403, '<Error><Code>SignatureDoesNotMatch</Code></Error>'));
    const error: unknown = await call().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Error);
    expect(inspect(error, { depth: null })).not.toMatch(/the-secret|the-token/);
  });

  it('takes the clock of the service where its own is far off, once', async () => {
    const date = 'Thu, 01 Jan 2026 01:00:00 GMT';
    const skewed = scripted(403, '<Error><Code>RequestTimeTooSkewed</Code></Error>', { date });
    const dates: string[] = [];
    const noted: ScriptedAnswer = (response, request) => {
      dates.push(String(request.headers['x-amz-date']));
      (dates.length === 1 ? skewed : scripted(200))(response, request);
    };
    await start(noted);
    await call();
    await call();
    expect(dates).toEqual(['20260101T000000Z', '20260101T010000Z', '20260101T010000Z']);
  });

  it('is refused for good where the right clock did not help', async () => {
    const date = 'Thu, 01 Jan 2026 01:00:00 GMT';
    await start(scripted(403, '<Error><Code>AccessDenied</Code></Error>', { date }));
    await expect(call()).rejects.toMatchObject({ code: 'AccessDenied' });
    await expect(call()).rejects.toMatchObject({ code: 'AccessDenied' });
    expect(server.requests).toHaveLength(3);
  });
});

describe('a connection', () => {
  it('is kept for the next call', async () => {
    await start(scripted(200, 'ok'));
    await call();
    await call();
    expect(server.connections()).toBe(1);
  });

  it('is not used again after it was idle, as in a Lambda that was frozen', async () => {
    await start(scripted(200, 'ok'));
    await call();
    clock.advance(4_001);
    await call();
    expect(server.connections()).toBe(2);
  });

  it('on which no answer comes is given up', async () => {
    const come = Promise.withResolvers<void>();
    await start(() => come.resolve(), scripted(200, 'ok'));
    const answered = call();
    await come.promise;
    clock.advance(5_000);
    await clock.timerOf(50);
    clock.advance(50);
    expect((await answered).text).toBe('ok');
  });

  it('on which a body stops is given up, but not while nobody reads', async () => {
    await start((response) => response.writeHead(200, { 'content-length': 4 }).write('ab'));
    const { body } = await client.call({ method: 'GET', url: new URL(server.url) });
    const pieces = body[Symbol.asyncIterator]();
    expect(Buffer.from((await pieces.next()).value).toString()).toBe('ab');
    clock.advance(60_000);
    const next = pieces.next();
    await clock.timerOf(5_000);
    clock.advance(5_000);
    await expect(next).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  });
});
