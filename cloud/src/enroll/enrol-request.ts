import { devicePattern, headerValue, PullFault } from '@pullwire/shared';
import { parseDeviceKey } from '../auth/device-key.ts';
import type { Exchange } from '../http/exchange.ts';
import { readBody } from '../http/read-body.ts';

/** What a device says to be enrolled (PROTOCOL.md, "Enrolment"): checked for its form, and nothing more. */
export interface EnrolRequest {
  readonly code: string;
  readonly publicKey: string;
  readonly proof: string;
  /** Undefined where the code names the device. */
  readonly device: string | undefined;
}

const bodyBytes = 8_192;

/** Rejects with `PullFault`: `bad-request` and its like; the detail repeats nothing of what was sent. */
export async function readEnrolRequest(exchange: Exchange): Promise<EnrolRequest> {
  const contentType = headerValue(exchange.headers, 'content-type') ?? '';
  if (!/^application\/json\s*(;|$)/i.test(contentType)) {
    throw malformed('send application/json');
  }
  const { code, publicKey, proof, device } = parseObject(await readBody(exchange, bodyBytes));
  if (typeof code !== 'string') throw malformed('"code" must be text');
  if (typeof proof !== 'string') throw malformed('"proof" must be text');
  if (typeof publicKey !== 'string' || parseDeviceKey(publicKey) === undefined) {
    throw malformed('"publicKey" must be "ed25519:" and base64url of 32 bytes');
  }
  if (device !== undefined && (typeof device !== 'string' || !devicePattern.test(device))) {
    throw malformed('"device" must be a device id');
  }
  return { code, publicKey, proof, device };
}

type Fields = Readonly<Partial<Record<keyof EnrolRequest, unknown>>>;

function parseObject(body: Buffer): Fields {
  let value: unknown;
  try {
    value = JSON.parse(body.toString());
  } catch {
    throw malformed('the body is no JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw malformed('the body is no JSON object');
  }
  const own = (name: string): unknown =>
    Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
  return {
    code: own('code'),
    publicKey: own('publicKey'),
    proof: own('proof'),
    device: own('device'),
  };
}

export function malformed(what: string): PullFault {
  return new PullFault('bad-request', 'lookup', {
    detail: `${what} (PROTOCOL.md, "Enrolment")`,
  });
}
