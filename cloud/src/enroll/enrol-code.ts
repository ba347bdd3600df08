import { hash, randomBytes } from 'node:crypto';
import { readableText } from '../auth/readable-text.ts';

/** `pwe_`, an id that names the code to people, and 160 random bits in letters that can be typed. */
const enrolCodePattern = /^pwe_[a-km-np-z2-9]{6}_[a-km-np-z2-9]{32}$/;

export interface EnrolCode {
  readonly id: string;
  /** The secret: shown once to whoever asked for it, stored nowhere. */
  readonly code: string;
  readonly hash: string;
}

/** Makes a code. `random` gives bytes nobody can guess. */
export function generateEnrolCode(random: (bytes: number) => Buffer = randomBytes): EnrolCode {
  const id = readableText(random(6));
  const code = `pwe_${id}_${readableText(random(32))}`;
  return { id, code, hash: hashEnrolCode(code) };
}

/** Whether this has the form of a code; says nothing about whether there is one. */
export function isEnrolCode(text: string): boolean {
  return enrolCodePattern.test(text);
}

/** SHA-256 in base64url: codes are found by it, and a stolen table gives none away. */
export function hashEnrolCode(code: string): string {
  return hash('sha256', code, 'base64url');
}
