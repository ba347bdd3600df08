import { describe, expect, test } from 'vitest';
import { mintTicket, uploadKey, verifyTicket } from './upload-ticket.ts';

const key = uploadKey('1', Buffer.alloc(32, 7));
const ticket = { object: 'AAECAwQFBgcICQoLDA0ODw', length: 5_000_000_000, expiresAt: 1_000 };

describe('an upload id', () => {
  const id = mintTicket(key, 'ops', ticket);

  test('says the same to its owner until it expires', () => {
    expect(verifyTicket([key], id, 'ops', 999)).toEqual(ticket);
    expect(verifyTicket([key], id, 'ops', 1_000)).toBe('expired');
  });

  test('says nothing to another caller, expired or not', () => {
    for (const other of ['', 'op', 'opss', 'OPS']) {
      expect(verifyTicket([key], id, other, 999)).toBe('not-yours');
      expect(verifyTicket([key], id, other, 1_000)).toBe('not-yours');
    }
  });

  test('takes callers of any length and alphabet', () => {
    for (const caller of ['', 'x'.repeat(5_000), 'Zürich 🏭']) {
      expect(verifyTicket([key], mintTicket(key, caller, ticket), caller, 0)).toEqual(ticket);
    }
  });

  test('is found out by every changed, missing or added byte', () => {
    const bytes = Buffer.from(id, 'base64url');
    for (let at = 0; at < bytes.length; at += 1) {
      const forged = Buffer.from(bytes);
      forged[at] = (forged[at] as number) ^ 1;
      expect(verifyTicket([key], forged.toString('base64url'), 'ops', 0)).toBeTypeOf('string');
    }
    for (let length = 0; length < id.length; length += 1) {
      expect(verifyTicket([key], id.slice(0, length), 'ops', 0)).toBe('malformed');
    }
    expect(verifyTicket([key], `${id}AAAA`, 'ops', 0)).toBe('malformed');
    expect(verifyTicket([key], 'not base64url!', 'ops', 0)).toBe('malformed');
  });

  test('is signed by keys that can be changed', () => {
    const next = uploadKey('2', Buffer.alloc(32, 8));
    expect(verifyTicket([next, key], id, 'ops', 0)).toEqual(ticket);
    expect(verifyTicket([next], id, 'ops', 0)).toBe('unknown-key');
    const other = uploadKey('1', Buffer.alloc(32, 8));
    expect(verifyTicket([other], id, 'ops', 0)).toBe('not-yours');
  });
});
