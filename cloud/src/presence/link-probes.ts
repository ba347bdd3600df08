import type { Clock, Probe, ReplyMessage, Timer } from '@pullwire/shared';
import type { PullTicket } from '../pull/pull-tickets.ts';
import type { LinkRecord } from '../registry/registry.ts';
import type { ReplyDesk } from '../reply/reply-desk.ts';

/** What asking a link for a sign of life brought. */
export type ProbeResult =
  /** `rttMs`: milliseconds to the agent and back; `at`: epoch milliseconds of the answer. */
  | { readonly answered: true; readonly rttMs: number; readonly at: number }
  | { readonly answered: false; readonly why: Unproven };

/**
 * `no-answer`: none within 5 s. `gone`: the link is no more. `unsupported`: its agent cannot be asked. `not-asked`: the
 * question, or the way back, failed. `skipped`: too many links are asked already.
 */
export type Unproven = 'no-answer' | 'gone' | 'unsupported' | 'not-asked' | 'skipped';

/** The host's way to its links, as far as a probe needs it. */
export interface ProbeDoor {
  /** The way back is open. Rejects with `PullFault` `channel-unavailable`. */
  ready(): Promise<void>;
  /**
   * Asks the link. `said`: what became of it, where that is not said by `probed`. Rejects with `PullFault` where the
   * registry, which has to be told, cannot be written.
   */
  ask(link: LinkRecord, probe: Probe, said: ProbeEars): Promise<'asked' | Unproven>;
  /** Nobody waits for it any more. */
  forget(link: LinkRecord, pullId: string): void;
}

export interface ProbeEars {
  heard(): void;
  failed(why: Unproven): void;
}

export interface LinkProbesOptions {
  readonly door: ProbeDoor;
  readonly replies: Pick<ReplyDesk, 'expect' | 'forget'>;
  readonly clock: Clock;
  readonly tickets: { next(device: string): PullTicket };
}

const withinMs = 5_000;
/** Of one device; a probe of more would be a flood by one request. */
const linksOfDevice = 16;
const linksInAll = 1_024;

/** Has links proven on demand (PROTOCOL.md, "Features", `probe`): whoever asks at once shares one probe a link. */
export class LinkProbes {
  readonly #options: LinkProbesOptions;
  readonly #running = new Map<string, Promise<ProbeResult>>();
  readonly #giveUps = new Set<() => void>();

  constructor(options: LinkProbesOptions) {
    this.#options = options;
  }

  /** Links of one device, by connection id. Rejects with `PullFault` `channel-unavailable` or `registry-unavailable`. */
  async prove(links: readonly LinkRecord[]): Promise<ReadonlyMap<string, ProbeResult>> {
    const newest = [...links].sort((a, b) => b.connectedAt - a.connectedAt);
    const proven = await Promise.all(
      newest.map(async (link, at) => {
        const result = at < linksOfDevice ? await this.#probe(link) : skipped;
        return [link.connectionId, result] as const;
      }),
    );
    return new Map(proven);
  }

  /** The place where answers come has moved: those under way will not be heard. */
  giveUp(): void {
    for (const end of [...this.#giveUps]) end();
  }

  #probe(link: LinkRecord): Promise<ProbeResult> {
    const { connectionId } = link;
    const running = this.#running.get(connectionId);
    if (running !== undefined) return running;
    if (this.#running.size >= linksInAll) return Promise.resolve(skipped);
    const probe = this.#ask(link).finally(() => this.#running.delete(connectionId));
    this.#running.set(connectionId, probe);
    return probe;
  }

  async #ask(link: LinkRecord): Promise<ProbeResult> {
    const { door, replies, tickets } = this.#options;
    await door.ready();
    const { pullId, replyTo } = tickets.next(link.device);
    const answer = new Answer(this.#options.clock);
    const giveUp = (): void => answer.failed('not-asked');
    const receive = (message: ReplyMessage): void => {
      if (message.action === 'probed') answer.heard();
    };
    replies.expect({ pullId, replyTo, device: link.device, receive });
    this.#giveUps.add(giveUp);
    try {
      const asked = await door.ask(link, { action: 'probe', pullId, replyTo }, answer);
      if (asked !== 'asked') answer.failed(asked);
      return await answer.result;
    } finally {
      answer.failed('not-asked'); // where asking threw
      this.#giveUps.delete(giveUp);
      replies.forget(pullId);
      door.forget(link, pullId);
    }
  }
}

const skipped: ProbeResult = { answered: false, why: 'skipped' };

/** The first word about one probe counts. */
class Answer implements ProbeEars {
  readonly #clock: Clock;
  readonly #askedAt: number;
  readonly #settled = Promise.withResolvers<ProbeResult>();
  readonly #timer: Timer;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#askedAt = clock.monotonic();
    this.#timer = clock.after(withinMs, () => this.failed('no-answer'));
  }

  get result(): Promise<ProbeResult> {
    return this.#settled.promise;
  }

  heard(): void {
    this.#timer.cancel();
    const rttMs = Math.round((this.#clock.monotonic() - this.#askedAt) * 10) / 10;
    this.#settled.resolve({ answered: true, rttMs, at: this.#clock.wall() });
  }

  failed(why: Unproven): void {
    this.#timer.cancel();
    this.#settled.resolve({ answered: false, why });
  }
}
