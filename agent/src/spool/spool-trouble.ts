import { DamagedSpoolError } from './spool-file.ts';

/** Why the spool cannot write or read: `full`: the disk; `damaged`: the file; `unusable`: anything else. */
export interface SpoolTrouble {
  readonly kind: 'full' | 'damaged' | 'unusable';
  /** For people, with the path. */
  readonly text: string;
}

/** Primary result codes (sqlite.org/rescode.html). */
const codes = { busy: 5, ioError: 10, corrupt: 11, full: 13, cannotOpen: 14, notADatabase: 26 };

/** What an error of `node:sqlite` means for the spool. */
export function spoolTrouble(error: unknown, path: string): SpoolTrouble {
  if (error instanceof DamagedSpoolError) return { kind: 'damaged', text: error.message };
  const { message, errcode } = error as Error & { errcode?: number };
  // Extended codes keep the primary one in their lowest byte.
  const code = (errcode ?? 0) & 0xff;
  const said = `${path}: ${message}`;
  if (code === codes.full) return { kind: 'full', text: `${said}; make room on that disk` };
  if (code === codes.corrupt || code === codes.notADatabase) return { kind: 'damaged', text: said };
  if (code === codes.busy) {
    const text = `${said}; another agent uses this file: each one needs its own (spool.path)`;
    return { kind: 'unusable', text };
  }
  if (code === codes.cannotOpen) {
    const text = `${said}; the folder must be there, and the agent must be allowed to write to it (spool.path)`;
    return { kind: 'unusable', text };
  }
  return { kind: 'unusable', text: said };
}
