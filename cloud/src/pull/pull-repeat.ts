import { type ErrorCode, errorCodes } from '@pullwire/shared';

/**
 * Ends that say something of the link or of its agent's load, and nothing of what was asked: another link may do better.
 * What an agent's policy or upstream says is the device's answer.
 */
const elsewhereMayHelp: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'link-lost',
  'link-full',
  'device-offline',
  'busy',
  'agent-draining',
]);

/** RFC 9110 §9.2.1, and QUERY. Idempotent is not enough: a first PUT may act after the second, and after others. */
export const safeMethods: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'OPTIONS',
  'TRACE',
  'QUERY',
]);

/**
 * Whether a pull that ended so, before it was answered, may be tried on another link (PROTOCOL.md, exchange 15). `sent`:
 * its frame may have reached an agent.
 */
export function mayRepeat(code: ErrorCode, method: string, sent: boolean): boolean {
  if (!elsewhereMayHelp.has(code)) return false;
  return !sent || errorCodes[code].executed === 'no' || safeMethods.has(method);
}
