import { createPublicKey } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { systemClock } from '@pullwire/shared';
import { compactVerify } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loopbackCertificate } from '../link/loopback-certificate.ts';
import { generateDeviceKey, publicKeyText, readDeviceKey, writeDeviceKey } from './device-key.ts';
import { enrolAddress } from './enrol-address.ts';
import { type Enrolling, enrolDevice } from './enrol-device.ts';
import { readEnrolmentRecord, writeEnrolmentRecord } from './enrolment-record.ts';

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

let folder: string;
let keyFile: string;
let server: Server;
let answer: Answer;
let bodies: Record<string, string>[];
let paths: string[];

const take = (request: IncomingMessage, response: ServerResponse): void => {
  let text = '';
  request.on('data', (piece: Buffer) => {
    text += piece.toString();
  });
  request.on('end', () => {
    paths.push(`${request.method} ${request.url}`);
    bodies.push(JSON.parse(text) as Record<string, string>);
    answer(request, response, text);
  });
};

const says =
  (status: number, fields: object, headers: Record<string, string> = {}): Answer =>
  (_request, response) => {
    response.writeHead(status, { 'Pullwire-Answered-By': 'relay', ...headers });
    response.end(JSON.stringify(fields));
  };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pullwire-enrol-'));
  keyFile = join(folder, 'identity', 'device.key');
  bodies = [];
  paths = [];
  answer = says(201, { device: 'plant-7', labels: {} });
  server = createServer(take);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

const host = () => `127.0.0.1:${(server.address() as AddressInfo).port}`;

const enrol = (changes: Partial<Enrolling> = {}) =>
  enrolDevice({
    address: enrolAddress(`http://${host()}`, false),
    code: 'pwe_secret',
    device: undefined,
    keyFile,
    insecure: false,
    secureContext: createSecureContext({}),
    env: {},
    clock: systemClock,
    ...changes,
  });

const left = () => readdir(join(folder, 'identity')).then((names) => names.sort());
const keyText = async () => publicKeyText(await readDeviceKey(keyFile));

describe('a device that enrols', () => {
  it('brings its public key with a proof for this code, and keeps what the relay said', async () => {
    const relay = `ws://${host()}/link`;
    expect(await enrol()).toEqual({ device: 'plant-7', relay });
    expect(paths).toEqual(['POST /enroll']);
    const { code, publicKey, proof, device } = bodies[0] ?? {};
    expect({ code, publicKey, device }).toEqual({
      code: 'pwe_secret',
      publicKey: await keyText(),
      device: undefined,
    });
    const verified = await compactVerify(proof ?? '', createPublicKey(await readFile(keyFile)));
    const { payload, protectedHeader } = verified;
    expect(protectedHeader.typ).toBe('pullwire-key+jwt');
    expect(new TextDecoder().decode(payload)).toMatch(/"for":"enroll:[A-Za-z0-9_-]{43}"/);
    expect(readEnrolmentRecord(keyFile)).toEqual({ device: 'plant-7', relay });
    expect((await stat(keyFile)).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'identity'))).mode & 0o777).toBe(0o700);
  });

  it('dials where the relay says', async () => {
    answer = says(201, { device: 'plant-7', linkUrl: 'wss://links.example/live' });
    expect((await enrol()).relay).toBe('wss://links.example/live');
  });

  it.each([
    ['ws://elsewhere.example/link'],
    ['https://links.example'],
    ['wss://user:x@links.example/'],
    ['wss://links.example/?a=b'],
    [7],
  ])('does not dial %s, and keeps its key: the relay has it', async (linkUrl) => {
    answer = says(201, { device: 'plant-7', linkUrl });
    await expect(enrol()).rejects.toThrow('linkUrl');
    expect(await left()).toEqual(['device.key.enrol']);
  });

  it('uses the same key where the answer was lost', async () => {
    answer = (request) => request.socket.destroy();
    await expect(enrol()).rejects.toMatchObject({ isFinal: false });
    expect(await left()).toEqual(['device.key.enrol']);
    answer = says(201, { device: 'plant-7' });
    await enrol();
    const key = await keyText();
    expect(bodies.map(({ publicKey }) => publicKey)).toEqual([key, key]);
    expect(await left()).toEqual(['device.key', 'device.key.json']);
  });

  it.each([
    ['before the relay heard of it', false],
    ['when the record was written', true],
  ])('and died %s goes on with the same key', async (_when, record) => {
    await mkdir(join(folder, 'identity'), { mode: 0o700 });
    const key = await generateDeviceKey();
    await writeDeviceKey(`${keyFile}.enrol`, key);
    if (record) await writeEnrolmentRecord(keyFile, { device: 'plant-7', relay: 'ws://x/link' });
    await enrol();
    expect(await keyText()).toBe(publicKeyText(key));
    expect(bodies[0]?.['publicKey']).toBe(publicKeyText(key));
  });

  it('uses a key that was made by hand, and keeps it where the relay refuses', async () => {
    await mkdir(join(folder, 'identity'), { mode: 0o700 });
    await writeDeviceKey(keyFile, await generateDeviceKey());
    const key = await keyText();
    answer = says(401, {});
    await expect(enrol()).rejects.toMatchObject({ isFinal: true });
    answer = says(201, { device: 'plant-7' });
    await enrol();
    expect(await keyText()).toBe(key);
    expect(bodies.map(({ publicKey }) => publicKey)).toEqual([key, key]);
  });

  it('that was enrolled before gets a new key, which takes over when the relay has it', async () => {
    await enrol();
    const first = await keyText();
    answer = (request) => request.socket.destroy();
    await expect(enrol()).rejects.toThrow();
    expect(await keyText()).toBe(first);
    expect(await left()).toEqual(['device.key', 'device.key.enrol', 'device.key.json']);
    await writeFile(`${keyFile}.next`, 'of a rotation');
    answer = says(201, { device: 'plant-7' });
    await enrol();
    expect(await keyText()).not.toBe(first);
    expect(await keyText()).toBe(bodies.at(-1)?.['publicKey']);
    expect(await left()).toEqual(['device.key', 'device.key.json']);
  });

  it('goes into no folder that others can read, and makes no key there', async () => {
    await mkdir(join(folder, 'identity'));
    await chmod(join(folder, 'identity'), 0o755);
    await expect(enrol()).rejects.toThrow(/others can read this folder.*chmod 700/);
    expect(await left()).toEqual([]);
    expect(bodies).toEqual([]);
  });

  it('does not use a key that others can read', async () => {
    await mkdir(join(folder, 'identity'), { mode: 0o700 });
    await writeFile(keyFile, await readFile(new URL(import.meta.url)), { mode: 0o644 });
    await expect(enrol()).rejects.toThrow('chmod 600');
    expect(bodies).toEqual([]);
  });
});

describe('a relay that refuses', () => {
  it.each([
    [401, {}, /the code is wrong, spent or expired.*enroll-code/],
    [409, {}, /knows this device already.*--replace/],
    [
      400,
      { detail: '"device" must be\u001b[2J a device id' },
      /400: "device" must be.*a device id/,
    ],
  ])('with %d leaves no key behind, and the text says what to do', async (status, fields, text) => {
    answer = says(status, fields);
    const error = (await enrol().catch((thrown: unknown) => thrown)) as Error;
    expect(error).toMatchObject({ name: 'EnrolError', isFinal: true });
    expect(error.message).toMatch(text);
    expect(error.message).toContain(host());
    expect(`${error.stack}${String(error.cause)}`).not.toContain('pwe_secret');
    expect(error.message).not.toContain('\u001b');
    expect(await left()).toEqual([]);
  });

  it.each([
    [429, '7', 7_000],
    [503, '2', 2_000],
  ])('for now (%d) is asked again, when it says', async (status, retry, retryAfterMs) => {
    answer = says(status, { detail: 'later' }, { 'Retry-After': retry });
    await expect(enrol()).rejects.toMatchObject({ isFinal: false, retryAfterMs });
    expect(await left()).toEqual(['device.key.enrol']);
  });
});

describe('a date in Retry-After', () => {
  it('counts from the Date of the same answer: clocks of devices are wrong', async () => {
    answer = says(
      503,
      {},
      {
        Date: 'Mon, 01 Jan 2001 00:00:00 GMT',
        'Retry-After': 'Mon, 01 Jan 2001 00:00:09 GMT',
      },
    );
    await expect(enrol()).rejects.toMatchObject({ retryAfterMs: 9_000 });
  });
});

describe('something that is no relay', () => {
  it('and answers without end is told so', async () => {
    answer = (_request, response) => response.end('x'.repeat(100_000));
    await expect(enrol()).rejects.toThrow(/more than 65536 bytes.*relay's address/);
  });

  it.each([
    ['a page', (_q: IncomingMessage, r: ServerResponse) => r.end('<html>')],
    ['a portal’s 403', (_q: IncomingMessage, r: ServerResponse) => r.writeHead(403).end()],
    [
      'a redirect',
      (_q: IncomingMessage, r: ServerResponse) =>
        r.writeHead(307, { Location: `http://${host()}/stolen` }).end(),
    ],
    ['a huge answer', (_q: IncomingMessage, r: ServerResponse) => r.end('x'.repeat(100_000))],
  ] as [string, Answer][])(
    '%s is told apart, gets the code once, and costs no key',
    async (_name, does) => {
      answer = does;
      await expect(enrol()).rejects.toMatchObject({ isFinal: false });
      expect(paths).toEqual(['POST /enroll']);
      expect(await left()).toEqual(['device.key.enrol']);
    },
  );

  it.each([
    ['another device than was asked for', { device: 'plant-8' }],
    ['no device', {}],
    ['a device that is none', { device: '../x' }],
  ])('which answers with %s is not believed', async (_name, fields) => {
    answer = says(201, fields);
    await expect(enrol({ device: 'plant-7' })).rejects.toThrow();
    expect(readEnrolmentRecord(keyFile)).toBeUndefined();
  });
});

describe('over TLS', () => {
  it('the relay’s certificate is checked before a byte of the code goes out', async () => {
    const tls = createTlsServer(loopbackCertificate, take);
    await new Promise<void>((resolve) => tls.listen(0, '127.0.0.1', resolve));
    const at = `https://127.0.0.1:${(tls.address() as AddressInfo).port}`;
    try {
      const address = enrolAddress(at, false);
      await expect(enrol({ address })).rejects.toMatchObject({ isFinal: false });
      expect(bodies).toEqual([]);
      const secureContext = createSecureContext({ ca: loopbackCertificate.cert });
      expect((await enrol({ address, secureContext })).device).toBe('plant-7');
    } finally {
      tls.closeAllConnections();
      tls.close();
    }
  });
});

describe('the address of a relay', () => {
  it.each([
    ['https://relay.example', 'https://relay.example/enroll', 'wss://relay.example/link'],
    ['https://relay.example/', 'https://relay.example/enroll', 'wss://relay.example/link'],
    [
      'wss://relay.example:8443/link',
      'https://relay.example:8443/enroll',
      'wss://relay.example:8443/link',
    ],
    ['https://x.example/live', 'https://x.example/live/enroll', 'wss://x.example/live/link'],
    ['https://x.example/live/enroll', 'https://x.example/live/enroll', 'wss://x.example/live/link'],
    ['http://localhost:8080', 'http://localhost:8080/enroll', 'ws://localhost:8080/link'],
  ])('%s enrols at %s', (text, url, linkUrl) => {
    expect(enrolAddress(text, false)).toMatchObject({ linkUrl });
    expect(enrolAddress(text, false).url.href).toBe(url);
  });

  it.each([
    ['relay.example'],
    ['ftp://relay.example'],
    ['https://user:secret@relay.example'],
    ['https://relay.example/?token=x'],
    ['http://relay.example'],
  ])('%s is none, or not one to send a code to', (text) => {
    expect(() => enrolAddress(text, false)).toThrow(/relay/);
  });

  it('in the clear is taken where that was said to be borne', () => {
    expect(enrolAddress('http://relay.example', true).linkUrl).toBe('ws://relay.example/link');
  });
});
