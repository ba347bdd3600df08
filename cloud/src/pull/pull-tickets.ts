import type { ReplyAddress } from '../reply/reply-to.ts';

/** A pull id with the `replyTo` that is signed for it. */
export interface PullTicket {
  readonly pullId: string;
  readonly replyTo: string;
}

export interface PullTicketsOptions {
  newPullId(): string;
  /** Signs an address; the host part is the signer's own. */
  replyTo(address: Omit<ReplyAddress, 'host'>): string;
  /** Epoch milliseconds. */
  wall(): number;
}

interface Batch {
  readonly tickets: PullTicket[];
  readonly until: number;
}

/** Signing one after the other finds the code in the caches: a fifth of what it costs between other work. */
const batchSize = 16;
/** A reply may stream for long after its head. */
const ticketMs = 24 * 3_600_000;
/** An unused ticket is not kept longer. */
const batchMs = 3_600_000;
const deviceLimit = 10_000;

/** Tickets for pulls, signed a batch a device at a time. */
export class PullTickets {
  readonly #options: PullTicketsOptions;
  readonly #batches = new Map<string, Batch>();

  constructor(options: PullTicketsOptions) {
    this.#options = options;
  }

  /** Each ticket is given once. */
  next(device: string): PullTicket {
    const now = this.#options.wall();
    const batch = this.#batches.get(device);
    const ticket = batch !== undefined && batch.until > now ? batch.tickets.pop() : undefined;
    return ticket ?? this.#sign(device, now);
  }

  #sign(device: string, now: number): PullTicket {
    const { newPullId, replyTo } = this.#options;
    const expiresAt = Math.ceil((now + batchMs + ticketMs) / 1_000);
    const tickets: PullTicket[] = [];
    for (let i = 0; i < batchSize; i += 1) {
      const pullId = newPullId();
      tickets.push({ pullId, replyTo: replyTo({ pullId, device, expiresAt }) });
    }
    if (this.#batches.size >= deviceLimit) this.#batches.clear();
    this.#batches.set(device, { tickets, until: now + batchMs });
    return tickets.pop() as PullTicket;
  }
}
