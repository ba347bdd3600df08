import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { KeyError, publicKeyText, readDeviceKey } from '../identity/device-key.ts';
import { exists } from '../identity/exists.ts';
import { canAnybodyRead, readTokenFile } from '../identity/token-file.ts';
import type { Check, Finding } from './check.ts';
import type { Patient } from './patient.ts';

/** The key that the agent signs with, and who else could use or replace it. */
export const keyCheck: Check = {
  component: 'key',
  needs: ['config'],
  limitMs: 5_000,
  target: (patient) => (patient.hasConfig ? fileOf(patient) : 'key file'),
  run: async (patient) => {
    try {
      const finding =
        patient.config.tokenFile === null ? await keyFinding(patient) : await tokenFinding(patient);
      return [finding, ...(await folderFindings(patient))];
    } catch (error) {
      if (!(error instanceof KeyError)) throw error;
      return [await unusable(patient, error)];
    }
  },
};

const fileOf = ({ config }: Patient): string => config.tokenFile ?? config.keyFile;

/** @throws KeyError */
async function keyFinding(patient: Patient): Promise<Finding> {
  const { keyFile } = patient.config;
  const current = await readDeviceKey(keyFile);
  const nextFile = `${keyFile}.next`;
  const next = (await exists(nextFile)) ? await readDeviceKey(nextFile) : undefined;
  patient.hasKeys({ current, next });
  const { mode, uid } = await stat(keyFile);
  const owner = `mode ${octal(mode)}, owner uid ${uid}`;
  const pending = next === undefined ? '' : `; ${nextFile} is offered to the relay as the next one`;
  const details = `${publicKeyText(current)}; ${owner}${pending}`;
  return { target: keyFile, state: 'ok', details };
}

/** @throws KeyError */
async function tokenFinding(patient: Patient): Promise<Finding> {
  const target = fileOf(patient);
  await readTokenFile(target);
  if (await canAnybodyRead(target)) {
    const details = 'everybody on this host can read the token';
    return { target, state: 'warning', details, advice: `run: chmod o-rwx ${target}` };
  }
  return { target, state: 'ok', details: "an issuer's token, in place of a key" };
}

/** Whoever may write the folder may put another key in the place of this one. */
async function folderFindings(patient: Patient): Promise<Finding[]> {
  const target = dirname(fileOf(patient));
  const { mode } = await stat(target);
  if ((mode & 0o022) === 0) return [];
  const details = `others may write this folder (mode ${octal(mode)}), and put another file in the place of the key`;
  return [{ target, state: 'warning', details, advice: `run: chmod go-w ${target}` }];
}

async function unusable(patient: Patient, error: KeyError): Promise<Finding> {
  const target = fileOf(patient);
  const cause = error.cause as NodeJS.ErrnoException | undefined;
  const isForbidden = cause?.code === 'EACCES' || cause?.code === 'EPERM';
  const details = isForbidden
    ? `${error.message}: ${await whose(target)}, and doctor runs as uid ${patient.deps.userId}`
    : error.message;
  return { target, state: 'failed', details, advice: adviceFor(cause?.code, target) };
}

async function whose(path: string): Promise<string> {
  try {
    const { uid, mode } = await stat(path);
    return `it belongs to uid ${uid} (mode ${octal(mode)})`;
  } catch {
    return `the way to it is closed (mode or owner of ${dirname(path)})`;
  }
}

function adviceFor(code: string | undefined, path: string): string {
  if (code === 'EACCES' || code === 'EPERM') {
    return `run doctor as the agent's own user; where that is this one, run as root: chown USER ${path}`;
  }
  if (code === 'ENOENT') {
    return 'enrol the device (pullwire-agent enroll), or name the right file in keyFile';
  }
  return 'the message says what is expected there; a key that is lost is replaced by pullwire-agent enroll';
}

const octal = (mode: number): string => (mode & 0o777).toString(8).padStart(4, '0');
