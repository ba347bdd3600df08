import { randomBytes } from 'node:crypto';

/** Like `R0oXAdfD0kwCH6w=`: to be percent-encoded in a URL. */
export function newConnectionId(): string {
  return `${randomBytes(11).toString('base64url')}=`;
}

export function isConnectionId(text: string): boolean {
  return /^[A-Za-z0-9_-]{15}=$/.test(text);
}
