import { RegistryError } from '../registry/registry-error.ts';
import { forgivenInMs, usedBytes } from './quota-level.ts';
import { dayMs } from './reading-limit.ts';
import type { ReadingTable } from './reading-table.ts';

export interface ReadingQuotaParts {
  readonly readingTable: Pick<ReadingTable, 'quotaLevel' | 'replaceQuotaLevel'>;
  /** That one device may have stored, as `readingCost` counts. */
  readonly bytesPerDay: number;
  /** Milliseconds since the epoch. */
  readonly wall: () => number;
  /** A device has no more: told once a day of it, for the log. */
  full(device: string, quota: QuotaFull): void;
}

/** Why a batch is to come later. */
export interface QuotaFull {
  readonly bytesPerDay: number;
  /** Milliseconds. */
  readonly retryAfterMs: number;
}

/** What one process knows of a device. */
interface Account {
  /** Bytes that are counted in the table already and that nothing has used yet. */
  ahead: number;
  /** Bytes that were used here. */
  used: number;
  /** Epoch milliseconds: nothing is taken between these. A clock that was set back is before them. */
  full: { readonly from: number; readonly until: number };
  saidAt: number;
}

/**
 * A device that has no more waits at least so long: then what it sends in vain is little beside what is taken then, and a
 * device that is to be stopped costs no write.
 */
const leastWaitMs = 900_000;
/** One process counts at most this part of a day ahead. */
const aheadPart = 64;
/** Of devices that a process knows something of; the one that was quiet longest is forgotten, with what it had ahead. */
const mostAccounts = 10_000;
/** A device has 4 batches on their way on each of its links: so many others may write its level at the same time. */
const mostTries = 16;

/**
 * How much one device may have stored in a day, over every process that stores for it. The level stands in the table, and
 * each change is a conditional write: none is lost. A process counts ahead as much as it has used already, so that a device
 * that sends all the time costs few writes; what it has ahead when it ends is lost to the device, and forgiven like the rest.
 */
export class ReadingQuota {
  readonly #parts: ReadingQuotaParts;
  readonly #accounts = new Map<string, Account>();

  constructor(parts: ReadingQuotaParts) {
    this.#parts = parts;
  }

  /** Counts these bytes; or says that the device has no more now, and counts nothing. Rejects with `RegistryError`. */
  async take(device: string, bytes: number): Promise<QuotaFull | undefined> {
    const account = this.#account(device);
    const now = this.#parts.wall();
    const { from, until } = account.full;
    if (from <= now && now < until) return this.#full(device, account, until - now);
    if (account.ahead < bytes) {
      const missing = await this.#count(device, account, bytes - account.ahead);
      if (missing > 0) {
        const waitMs = Math.max(leastWaitMs, forgivenInMs(missing, this.#parts.bytesPerDay));
        account.full = { from: now, until: now + waitMs };
        return this.#full(device, account, waitMs);
      }
    }
    account.ahead -= bytes;
    account.used += bytes;
    return undefined;
  }

  /** What was taken could not be stored: it will come again. */
  giveBack(device: string, bytes: number): void {
    const account = this.#account(device);
    account.ahead += bytes;
    account.used -= bytes;
  }

  /** Resolves with 0 where so many bytes are counted, else with how many are missing. */
  async #count(device: string, account: Account, bytes: number): Promise<number> {
    const { readingTable, bytesPerDay, wall } = this.#parts;
    const wanted = bytes + Math.min(account.used, Math.floor(bytesPerDay / aheadPart));
    for (let tries = 0; tries < mostTries; tries += 1) {
      const before = await readingTable.quotaLevel(device);
      const now = wall();
      const used = usedBytes(before, now, bytesPerDay);
      const taken = Math.min(wanted, bytesPerDay - used);
      if (taken < bytes) return bytes - taken;
      const level = { bytes: used + taken, at: now };
      if (await readingTable.replaceQuotaLevel(device, before, level)) {
        account.ahead += taken;
        return 0;
      }
    }
    throw new RegistryError('unavailable', `the quota of ${device} changes all the time`);
  }

  #full(device: string, account: Account, retryAfterMs: number): QuotaFull {
    const { bytesPerDay, wall, full } = this.#parts;
    const quota = { bytesPerDay, retryAfterMs };
    if (Math.abs(wall() - account.saidAt) >= dayMs) {
      account.saidAt = wall();
      full(device, quota);
    }
    return quota;
  }

  /** In the order of their last use. */
  #account(device: string): Account {
    const known = this.#accounts.get(device);
    const never = Number.NEGATIVE_INFINITY;
    const account = known ?? {
      ahead: 0,
      used: 0,
      full: { from: never, until: never },
      saidAt: never,
    };
    this.#accounts.delete(device);
    this.#accounts.set(device, account);
    if (this.#accounts.size > mostAccounts) {
      const [oldest] = this.#accounts.keys();
      if (oldest !== undefined) this.#accounts.delete(oldest);
    }
    return account;
  }
}
