import { type Clock, PullFault } from '@pullwire/shared';
import { parseDeviceKey } from '../auth/device-key.ts';
import { verifyKeyProof } from '../auth/key-proof.ts';
import { registryFault } from '../auth/registry-fault.ts';
import { attemptKeys, type Throttle } from '../auth/throttle.ts';
import type { Exchange, HttpAnswer } from '../http/exchange.ts';
import { jsonAnswer } from '../http/problem.ts';
import type { DeviceRecord, EnrolCodeRecord, Registry } from '../registry/registry.ts';
import { RegistryError } from '../registry/registry-error.ts';
import { hashEnrolCode, isEnrolCode } from './enrol-code.ts';
import { type EnrolRequest, malformed, readEnrolRequest } from './enrol-request.ts';

/** Why an enrolment was refused; whoever asked is told less. */
export const enrolRefusals = [
  'malformed',
  'throttled',
  'wrong',
  'expired',
  'spent',
  'no-proof',
  'other-device',
  'taken',
] as const;
export type EnrolRefusal = (typeof enrolRefusals)[number];

export interface EnrolmentEvents {
  enrolled(enrolled: {
    readonly device: string;
    readonly codeId: string;
    readonly keyId: string;
    readonly remoteAddress: string | undefined;
  }): void;
  refused(refused: {
    readonly reason: EnrolRefusal;
    readonly codeId: string | undefined;
    readonly remoteAddress: string | undefined;
  }): void;
}

export interface EnrolmentOptions {
  readonly registry: Pick<
    Registry,
    | 'enrolCodeByHash'
    | 'spendEnrolCode'
    | 'finishEnrolCode'
    | 'deviceRecord'
    | 'addDevice'
    | 'replaceDevice'
  >;
  readonly clock: Clock;
  /** Where agents dial, where the relay knows it. */
  readonly linkUrl?: string | undefined;
  readonly throttle?: Throttle | undefined;
  readonly events: EnrolmentEvents;
}

/** A refusal of ours, before it is told. */
class Refusal extends Error {
  readonly reason: EnrolRefusal;

  constructor(reason: EnrolRefusal) {
    super(reason);
    this.reason = reason;
  }
}

/** What is asked, with the code as the registry has it. */
interface Claim {
  readonly request: EnrolRequest;
  readonly code: EnrolCodeRecord;
  readonly device: string;
}

/** `POST /enroll`: a device brings its public key with a code that is good once. */
export class Enrolment {
  readonly #options: EnrolmentOptions;

  constructor(options: EnrolmentOptions) {
    this.#options = options;
  }

  /** Rejects with `PullFault`. */
  async enrol(exchange: Exchange): Promise<HttpAnswer> {
    const { remoteAddress } = exchange;
    const { throttle, events } = this.#options;
    let code: EnrolCodeRecord | undefined;
    try {
      throttle?.check(attemptKeys(remoteAddress));
      const request = await readEnrolRequest(exchange);
      code = await this.#find(request.code);
      const record = await this.#take(request, code);
      const keyId = parseDeviceKey(record.publicKey)?.keyId ?? '';
      events.enrolled({ device: record.device, codeId: code.id, keyId, remoteAddress });
      return this.#answer(record);
    } catch (error) {
      const reason = reasonOf(error);
      if (reason !== undefined) {
        events.refused({ reason, codeId: code?.id, remoteAddress });
        if (reason !== 'throttled' && reason !== 'malformed') {
          throttle?.failed(attemptKeys(remoteAddress));
        }
      }
      throw faultOf(error);
    }
  }

  async #find(text: string): Promise<EnrolCodeRecord> {
    const code = isEnrolCode(text)
      ? await this.#options.registry.enrolCodeByHash(hashEnrolCode(text))
      : undefined;
    if (code === undefined) throw new Refusal('wrong');
    return code;
  }

  /** Checks everything that can be checked before the code is spent, so that no mistake costs one. */
  async #take(request: EnrolRequest, code: EnrolCodeRecord): Promise<DeviceRecord> {
    const now = this.#options.clock.wall();
    if (now >= code.expiresAt * 1_000) throw new Refusal('expired');
    const device = deviceOf(request, code);
    if (code.device !== undefined && code.device !== device) throw new Refusal('other-device');
    if (!(await verifyKeyProof(request.proof, request.publicKey, `enroll:${code.hash}`))) {
      throw new Refusal('no-proof');
    }
    const claim = { request, code, device };
    const known = await this.#options.registry.deviceRecord(device);
    if (code.spent !== undefined) return this.#repeat(claim, known);
    if (known === undefined || code.replaces === true || hasKey(known, request.publicKey)) {
      return this.#spend(claim, now);
    }
    // It may be known since a moment ago, by this very code: another one was quicker.
    const spent = await this.#options.registry.enrolCodeByHash(code.hash);
    if (spent?.spent !== undefined) return this.#repeat({ ...claim, code: spent }, known);
    throw new Refusal('taken');
  }

  async #spend(claim: Claim, at: number): Promise<DeviceRecord> {
    const { request, code, device } = claim;
    const { registry } = this.#options;
    const use = { device, publicKey: request.publicKey, at };
    if (await registry.spendEnrolCode(code.hash, use)) return this.#write(claim, at);
    // Another one was quicker; or it was ourselves, and the answer was lost below us.
    const now = await registry.enrolCodeByHash(code.hash);
    if (now?.spent === undefined) throw new Refusal('wrong'); // taken back in between, or just expired
    return this.#repeat({ ...claim, code: now }, await registry.deviceRecord(device));
  }

  /** The same device and key again: the answer was lost. What was written once is not written a second time. */
  async #repeat(claim: Claim, known: DeviceRecord | undefined): Promise<DeviceRecord> {
    const { request, code, device } = claim;
    const { spent, doneAt } = code;
    if (spent?.device !== device || spent.publicKey !== request.publicKey)
      throw new Refusal('spent');
    // A device that was removed, revoked or given another key since then does not come back by an old code.
    if ((known?.revokedAt ?? 0) >= spent.at) throw new Refusal('spent');
    if (doneAt === undefined) return this.#write(claim, spent.at);
    if (known === undefined || !hasKey(known, request.publicKey)) throw new Refusal('spent');
    return known;
  }

  async #write({ request, code, device }: Claim, createdAt: number): Promise<DeviceRecord> {
    const { registry, clock } = this.#options;
    const record = { device, publicKey: request.publicKey, labels: code.labels, createdAt };
    if (code.replaces === true) await registry.replaceDevice(record);
    else await registry.addDevice(record);
    await registry.finishEnrolCode(code.hash, clock.wall());
    return record;
  }

  #answer({ device, labels }: DeviceRecord): HttpAnswer {
    const { linkUrl } = this.#options;
    return jsonAnswer(201, {
      device,
      labels,
      ...(linkUrl === undefined ? undefined : { linkUrl }),
    });
  }
}

/** Throws `PullFault` where neither names it: that is told only with a code that is good still. */
function deviceOf(request: EnrolRequest, code: EnrolCodeRecord): string {
  const device = request.device ?? code.device;
  if (device !== undefined) return device;
  if (code.spent !== undefined) throw new Refusal('spent');
  throw malformed('the code names no device: send "device"');
}

/** Such a device may enrol again, as one does that was set up anew and kept its key. */
function hasKey({ publicKey, revokedAt }: DeviceRecord, wanted: string): boolean {
  return publicKey === wanted && revokedAt === undefined;
}

function reasonOf(error: unknown): EnrolRefusal | undefined {
  if (error instanceof Refusal) return error.reason;
  if (error instanceof RegistryError && error.code === 'conflict') return 'taken';
  if (!(error instanceof PullFault)) return undefined;
  if (error.code === 'too-many-attempts') return 'throttled';
  return error.status < 500 ? 'malformed' : undefined;
}

/** One answer for all that a stranger could try out: a wrong code, a spent one, one of another device. */
function faultOf(error: unknown): unknown {
  const reason = reasonOf(error);
  if (error instanceof PullFault || reason === undefined) return registryFault(error);
  if (reason === 'taken') {
    return new PullFault('device-taken', 'lookup', {
      detail:
        'the device is known already, with another key, or was revoked: choose another id, or ask for a code that may replace it',
    });
  }
  return new PullFault('enrolment-refused', 'caller-auth', {
    detail:
      "the code is wrong, spent or expired, or another device's: ask for a new one (pullwire-relay enroll-code)",
    cause: error,
  });
}
