import type { AgentMessage, Ignored, RelayMessage } from './message.ts';
import { excerpt, WireError } from './wire-error.ts';

export type Action = AgentMessage['action'] | RelayMessage['action'];

/** The types of `pullwire.v1+bin` (PROTOCOL.md, "Encodings"). */
export const binTypes = {
  hello: 1,
  welcome: 2,
  pull: 3,
  head: 4,
  body: 5,
  end: 6,
  fault: 7,
  credit: 8,
  cancel: 9,
  drain: 10,
  bye: 11,
  'keep-alive': 12,
  'kept-alive': 13,
  resend: 16,
  upload: 17,
  put: 18,
  complete: 19,
  reading: 20,
  stored: 21,
  rotate: 22,
  rotated: 23,
  probe: 24,
  probed: 25,
  held: 26,
} as const satisfies Record<Action, number>;

/** A name that can go into a log line or a counter as it is. */
const plain = /^[\x21-\x7e]{1,64}$/;

const names = new Map<number, string>(Object.entries(binTypes).map(([name, type]) => [type, name]));

/** The action of a binary type, or `type-` and its number where it has none. */
export function actionOf(type: number): string {
  return names.get(type) ?? `type-${type}`;
}

export function isAction(name: string): name is Action {
  return Object.hasOwn(binTypes, name);
}

/** A message that the reader of this direction did not know: throws where the other direction has it. */
export function ignoredAction(name: string): Ignored {
  if (isAction(name)) {
    throw new WireError('protocol-error', `action: ${name} goes in the other direction`);
  }
  return { action: 'ignored', name: plain.test(name) ? name : excerpt(name) };
}
