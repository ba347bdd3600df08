import type { Draft } from './envelope.ts';
import { checkCode, checkText, type Fields, valueLimit } from './field.ts';
import type { Bye } from './message.ts';

export function readBye(fields: Fields): Bye {
  const bye: Draft<Bye> = { action: 'bye', code: checkCode(fields.code) };
  if (fields.reason !== undefined) bye.reason = checkText(fields.reason, 'reason', valueLimit);
  return bye;
}
