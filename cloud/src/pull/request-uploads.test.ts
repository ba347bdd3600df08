import { randomBytes } from 'node:crypto';
import { PullFault } from '@pullwire/shared';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { describe, expect, it } from 'vitest';
import { FakeExchange } from '../../test/fake-exchange.ts';
import type { AuthenticatedCaller, GrantVerdict } from '../auth/callers.ts';
import type { HttpAnswer } from '../http/exchange.ts';
import { ObjectStoreError, type ObjectStoreErrorCode } from '../object/object-store-error.ts';
import { uploadKey } from '../object/upload-ticket.ts';
import { RequestUploads } from './request-uploads.ts';

const sha256 = 'a'.repeat(64);
const grants = {
  allows: () => 'allowed' as const,
  uploads: (): GrantVerdict => 'allowed',
  seesDevice: () => true,
  managesDevice: () => false,
};
const callerOf = (id: string): AuthenticatedCaller => ({
  id,
  name: id,
  grants,
  credential: 'pullwire-key',
});

function bench(verdict: GrantVerdict = 'allowed') {
  const clock = new ManualClock();
  const issued: unknown[] = [];
  const missing = new Map<string, ObjectStoreErrorCode>();
  let caller: AuthenticatedCaller | undefined = {
    ...callerOf('ops'),
    grants: { ...grants, uploads: () => verdict },
  };
  const uploads = new RequestUploads({
    callers: {
      authenticate: () => {
        if (caller !== undefined) return caller;
        throw new PullFault('caller-unauthenticated', 'caller-auth', { detail: 'no key' });
      },
    },
    store: {
      presignPut: (key, { length, sha256: hash, expiresSeconds }) => ({
        url: `https://store/${key}?${expiresSeconds}`,
        headers: { 'content-length': String(length), 'x-hash': hash },
      }),
      head: async (key) => {
        const code = missing.get(key.endsWith('.used') ? 'mark' : 'object');
        if (code !== undefined) throw new ObjectStoreError(code, 'there is no such object');
        return 5;
      },
      claim: async () => true,
      open: () => Promise.reject(new Error('nobody asked')),
      remove: async () => undefined,
    },
    key: uploadKey('1', Buffer.alloc(32, 7)),
    clock,
    newId: () => randomBytes(16).toString('base64url'),
    mostBytes: 1_000,
    track: () => undefined,
    issued: (upload) => issued.push(upload),
  });
  const ask = async (text: string): Promise<HttpAnswer> => {
    const exchange = new FakeExchange({ method: 'POST', bodyLength: text.length });
    const answer = uploads.issue(exchange);
    await Promise.resolve(); // the caller is known by now
    exchange.sink?.chunk(Buffer.from(text));
    exchange.sink?.end([]);
    return answer;
  };
  const issue = async () => {
    const { body } = await ask(JSON.stringify({ length: 5, sha256 }));
    return JSON.parse(Buffer.from(body).toString()) as Record<string, unknown>;
  };
  const forget = () => {
    caller = undefined;
  };
  return { clock, uploads, issued, missing, ask, issue, forget };
}

describe('POST /uploads', () => {
  it('answers with a place for exactly this body, and the id for the pull', async () => {
    const b = bench();
    const answer = await b.ask(JSON.stringify({ length: 5, sha256 }));
    expect(answer.status).toBe(201);
    expect(answer.headers).toEqual(expect.arrayContaining(['Cache-Control', 'no-store']));
    expect(JSON.parse(Buffer.from(answer.body).toString())).toEqual({
      upload: expect.stringMatching(/^[\w-]{50,}$/),
      put: {
        url: expect.stringMatching(/^https:\/\/store\/uploads\/[\w-]{22}\?900$/),
        headers: { 'x-hash': sha256 },
      },
      expiresAt: '1970-01-01T00:15:00.000Z',
    });
    expect(b.issued).toEqual([{ caller: 'ops', bytes: 5 }]);
  });

  it.each([
    ['no-grant', 'not-found'],
    ['method-not-granted', 'method-not-granted'],
  ] as const)('signs nothing for a caller with %s', async (verdict, code) => {
    const b = bench(verdict);
    const asked = b.ask(JSON.stringify({ length: 5, sha256 }));
    await expect(asked).rejects.toMatchObject({ code });
    expect(b.issued).toEqual([]);
  });

  it.each([
    ['', 'bad-request'],
    ['[]', 'bad-request'],
    ['null', 'bad-request'],
    ['{"length":5}', 'bad-request'],
    [JSON.stringify({ length: 0, sha256 }), 'bad-request'],
    [JSON.stringify({ length: 1.5, sha256 }), 'bad-request'],
    [JSON.stringify({ length: '5', sha256 }), 'bad-request'],
    [JSON.stringify({ length: 5, sha256: sha256.toUpperCase() }), 'bad-request'],
    [JSON.stringify({ length: 1_001, sha256 }), 'request-body-too-large'],
    [`"${'x'.repeat(2_000)}"`, 'request-body-too-large'],
  ])('of %.30s is refused as %s', async (text, code) => {
    const b = bench();
    await expect(b.ask(text)).rejects.toMatchObject({ code });
    expect(b.issued).toEqual([]);
  });

  it('is for callers with a key', async () => {
    const b = bench();
    b.forget();
    await expect(b.ask('{}')).rejects.toMatchObject({ code: 'caller-unauthenticated' });
  });
});

describe('a pull that names an upload', () => {
  it('finds it, with its length', async () => {
    const b = bench();
    const { upload } = await b.issue();
    expect(await b.uploads.find(String(upload), callerOf('ops'))).toMatchObject({ length: 5 });
  });

  it('finds neither another caller’s nor one that never was', async () => {
    const b = bench();
    const { upload } = await b.issue();
    for (const [id, caller] of [
      [String(upload), 'eve'],
      ['nonsense', 'ops'],
      ['', 'ops'],
    ] as const) {
      await expect(b.uploads.find(id, callerOf(caller))).rejects.toMatchObject({
        code: 'upload-unknown',
      });
    }
  });

  it.each([
    ['nothing was put', { object: 'missing', mark: 'missing' }, 'upload-missing'],
    ['it was used', { object: 'missing' }, 'upload-spent'],
    [
      'the storage cannot be asked',
      { object: 'unavailable', mark: 'unavailable' },
      'storage-unavailable',
    ],
  ] as const)('is told where %s', async (_name, answers, code) => {
    const b = bench();
    const { upload } = await b.issue();
    for (const [key, error] of Object.entries(answers)) b.missing.set(key, error);
    await expect(b.uploads.find(String(upload), callerOf('ops'))).rejects.toMatchObject({ code });
  });

  it('is told where it has expired', async () => {
    const b = bench();
    const { upload } = await b.issue();
    b.clock.advance(900_000);
    await expect(b.uploads.find(String(upload), callerOf('ops'))).rejects.toMatchObject({
      code: 'upload-spent',
      stage: 'lookup',
    });
  });
});
