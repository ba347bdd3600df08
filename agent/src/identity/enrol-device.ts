import { hash, type KeyObject } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { generateDeviceKey, publicKeyText, readDeviceKey, writeDeviceKey } from './device-key.ts';
import { checkedLinkUrl, type EnrolAddress } from './enrol-address.ts';
import { EnrolError } from './enrol-error.ts';
import { type EnrolAnswer, type EnrolBody, type EnrolWay, postEnrolment } from './enrol-request.ts';
import {
  type EnrolmentRecord,
  enrolmentRecordOf,
  writeEnrolmentRecord,
} from './enrolment-record.ts';
import { exists } from './exists.ts';
import { prepareKeyFolder } from './key-folder.ts';
import { signKeyProof } from './key-proof.ts';

export interface Enrolling extends Omit<EnrolWay, 'url'> {
  readonly address: EnrolAddress;
  /** A secret. */
  readonly code: string;
  /** Undefined where the code names it. */
  readonly device: string | undefined;
  /** Where the private key is, or is to be. */
  readonly keyFile: string;
  readonly insecure: boolean;
}

/**
 * Makes the device's key, brings its public half to the relay, and keeps what the relay said beside the key. The key is
 * on the disk, in `<keyFile>.enrol`, before the relay hears of it, and becomes the device's key once the relay has it:
 * wherever the process dies, a second try uses the same key. A device that was enrolled before gets a new one. A key that
 * somebody made by keygen is used as it is.
 *
 * @throws KeyError, EnrolError. Where the relay has refused, nothing is left behind.
 */
export async function enrolDevice(enrolling: Enrolling): Promise<EnrolmentRecord> {
  const { keyFile, address, insecure, device: wanted } = enrolling;
  await prepareKeyFolder(keyFile);
  const isMadeByHand = (await exists(keyFile)) && !(await exists(enrolmentRecordOf(keyFile)));
  const draft = isMadeByHand ? keyFile : `${keyFile}.enrol`;
  const { key, isNew } = await keyIn(draft);
  const { device, linkUrl } = await ask(key, enrolling).catch(async (error: unknown) => {
    if (isNew && error instanceof EnrolError && error.isFinal) await rm(draft, { force: true });
    throw error;
  });
  if (wanted !== undefined && device !== wanted) {
    throw new EnrolError(
      `${address.url.host} enrolled "${device}" where "${wanted}" was asked for`,
    );
  }
  const relay = linkUrl === undefined ? address.linkUrl : checkedLinkUrl(linkUrl, insecure);
  // The record goes first: with it and the draft, a second try ends what was begun here.
  await writeEnrolmentRecord(keyFile, { device, relay });
  if (draft !== keyFile) {
    await rm(`${keyFile}.next`, { force: true }); // of a rotation of the old key, if there was one
    await rename(draft, keyFile);
  }
  return { device, relay };
}

async function ask(key: KeyObject, enrolling: Enrolling): Promise<EnrolAnswer> {
  const { code, device, address, secureContext, env, clock, signal } = enrolling;
  const purpose = `enroll:${hash('sha256', code, 'base64url')}`;
  const body: EnrolBody = {
    code,
    publicKey: publicKeyText(key),
    proof: await signKeyProof(key, purpose),
    ...(device === undefined ? undefined : { device }),
  };
  return postEnrolment(body, { url: address.url, secureContext, env, clock, signal });
}

async function keyIn(path: string): Promise<{ readonly key: KeyObject; readonly isNew: boolean }> {
  if (await exists(path)) return { key: await readDeviceKey(path), isNew: false };
  const key = await generateDeviceKey();
  await writeDeviceKey(path, key);
  return { key, isNew: true };
}
