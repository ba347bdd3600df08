import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EnrolSettings } from '../config/load-config.ts';
import {
  generateDeviceKey,
  publicKeyText,
  readDeviceKey,
  writeDeviceKey,
} from '../identity/device-key.ts';
import { EnrolError } from '../identity/enrol-error.ts';
import { readEnrolmentRecord } from '../identity/enrolment-record.ts';
import type { CliHost } from './cli-host.ts';
import { enrolAtFirstStart, waitAfter } from './first-start.ts';

let folder: string;
let keyFile: string;
let server: Server;
let answers: ((response: ServerResponse) => void)[];
let asked: number;

const redial = { baseMs: 1, capMs: 1, stableMs: 1 };
const takes = (response: ServerResponse): void => {
  response.writeHead(201, { 'Pullwire-Answered-By': 'relay' });
  response.end('{"device":"plant-7","labels":{}}');
};
const refuses = (response: ServerResponse): void => {
  response.writeHead(401, { 'Pullwire-Answered-By': 'relay' }).end('{}');
};
const loses = (response: ServerResponse): void => {
  response.destroy();
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pullwire-first-'));
  keyFile = join(folder, 'device.key');
  answers = [];
  asked = 0;
  server = createServer((request, response) => {
    asked += 1;
    request.resume().on('end', () => (answers.shift() ?? takes)(response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

function firstStart(stop = new AbortController().signal, more = {}): Promise<boolean> {
  const settings: EnrolSettings = {
    keyFile,
    relay: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/link`,
    enrollUrl: undefined,
    device: undefined,
    ca: undefined,
    insecure: false,
    redial,
    logLevel: 'silent',
    ...more,
  };
  const host: Pick<CliHost, 'env'> = { env: { PULLWIRE_ENROLL_CODE: 'pwe_x' } };
  return enrolAtFirstStart(settings, host as CliHost, pino({ level: 'silent' }), stop);
}

describe('the first start of a device with a code', () => {
  it('tries until the relay has decided, and does not ask again', async () => {
    answers = [loses, loses];
    await firstStart();
    await firstStart();
    expect(asked).toBe(3);
    expect(readEnrolmentRecord(keyFile)?.device).toBe('plant-7');
  });

  it('goes on where the process died before the answer came, with the same key', async () => {
    const key = await generateDeviceKey();
    await writeDeviceKey(`${keyFile}.enrol`, key);
    await firstStart();
    expect(asked).toBe(1);
    expect(publicKeyText(await readDeviceKey(keyFile))).toBe(publicKeyText(key));
  });

  it('takes another code after one that was refused', async () => {
    answers = [loses, refuses];
    await expect(firstStart()).rejects.toMatchObject({ isFinal: true });
    await firstStart();
    expect(readEnrolmentRecord(keyFile)?.device).toBe('plant-7');
  });

  it('stops while it waits for the next try', async () => {
    const stop = new AbortController();
    const lost = Promise.withResolvers<void>();
    answers = [
      (response) => {
        loses(response);
        lost.resolve();
      },
    ];
    const hour = 3_600_000;
    const started = firstStart(stop.signal, { redial: { ...redial, baseMs: hour, capMs: hour } });
    await lost.promise;
    stop.abort('SIGTERM');
    expect(await started).toBe(false);
  });

  it('breaks off a try under way, and goes on with the same key at the next start', async () => {
    const stop = new AbortController();
    const hanging = Promise.withResolvers<void>();
    answers = [() => hanging.resolve()];
    const started = firstStart(stop.signal);
    await hanging.promise;
    const key = publicKeyText(await readDeviceKey(`${keyFile}.enrol`));
    stop.abort('SIGTERM');
    expect(await started).toBe(false);
    expect(await firstStart()).toBe(true);
    expect(publicKeyText(await readDeviceKey(keyFile))).toBe(key);
  });

  it('leaves a key alone that somebody made by hand', async () => {
    await writeDeviceKey(keyFile, await generateDeviceKey());
    await firstStart();
    expect(asked).toBe(0);
  });
});

describe('the wait for the next try', () => {
  it.each([
    [undefined, 0, 1_000],
    [7_000, 7_000, 8_750],
    [2_592_000_000, 3_600_000, 3_660_000],
  ])('after Retry-After %s ms is from %d to %d ms', (retryAfterMs, least, most) => {
    const error = new EnrolError('later', { isFinal: false, retryAfterMs });
    const settings = { redial: { baseMs: 1_000, capMs: 60_000, stableMs: 30_000 } };
    const waitMs = waitAfter(error, 0, settings);
    expect(waitMs).toBeGreaterThanOrEqual(least);
    expect(waitMs).toBeLessThanOrEqual(most);
  });
});
