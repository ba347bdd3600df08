import { readFileSync } from 'node:fs';
import { devicePattern } from '@pullwire/shared';
import { replaceFile } from './replace-file.ts';

/** What an enrolment told the device, kept beside its key: `<keyFile>.json`. */
export interface EnrolmentRecord {
  readonly device: string;
  /** Where it dials. */
  readonly relay: string;
}

export const enrolmentRecordOf = (keyFile: string): string => `${keyFile}.json`;

/** Undefined where there is none, or it is damaged: then the configuration has to say both. */
export function readEnrolmentRecord(keyFile: string): EnrolmentRecord | undefined {
  try {
    const { device, relay } = JSON.parse(readFileSync(enrolmentRecordOf(keyFile), 'utf8')) as {
      device?: unknown;
      relay?: unknown;
    };
    if (typeof device !== 'string' || !devicePattern.test(device)) return undefined;
    return typeof relay === 'string' ? { device, relay } : undefined;
  } catch {
    return undefined;
  }
}

/** Whole or not at all, and on the disk when it resolves. */
export async function writeEnrolmentRecord(
  keyFile: string,
  { device, relay }: EnrolmentRecord,
): Promise<void> {
  await replaceFile(enrolmentRecordOf(keyFile), `${JSON.stringify({ device, relay })}\n`);
}
