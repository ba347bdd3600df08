import type { AgentMessage, Clock, Rotated, Timer } from '@pullwire/shared';
import type { Logger } from 'pino';
import type { LinkKeys } from './link-keys.ts';

export interface KeyOfferOptions {
  readonly keys: LinkKeys;
  readonly device: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The link that the wish came over; closed, it drops what it is given. */
export interface OfferLink {
  control(message: AgentMessage): void;
}

/** A stolen relay must not make the device write its disk without end. */
const everyMs = 60_000;

/** The device's next key, offered where the relay asks for one (PROTOCOL.md, feature `rotate`). */
export class KeyOffer {
  readonly #options: KeyOfferOptions;
  #offeredAt: number | undefined;
  #isOffering = false;
  #due: Timer | undefined;
  /** The last that wished: another may have taken the place of the one that wished first. */
  #link: OfferLink | undefined;
  /** What the relay has not answered yet. */
  #offered: string | undefined;

  constructor(options: KeyOfferOptions) {
    this.#options = options;
  }

  /** The relay asks for another key. A wish that comes too early waits; one that waits already is enough. */
  wished(link: OfferLink): void {
    this.#link = link;
    if (this.#isOffering || this.#due !== undefined) return;
    const waitMs = this.#waitMs();
    if (waitMs <= 0) {
      void this.#offer();
      return;
    }
    this.#due = this.#options.clock.after(waitMs, () => {
      this.#due = undefined;
      void this.#offer();
    });
  }

  /** The relay's answer. One that was not asked for is ignored. */
  answered({ publicKey, refused }: Rotated): void {
    if (publicKey !== this.#offered) return;
    this.#offered = undefined;
    const { keys, logger } = this.#options;
    if (refused !== undefined) {
      logger.error({ publicKey, refused }, 'the relay refused the next key; the current one stays');
      return;
    }
    keys.confirmed(publicKey);
    logger.info({ publicKey }, 'the relay has noted the next key; the next dial uses it');
  }

  /** The link is gone: what the relay wished over it, it will wish again. */
  lost(): void {
    this.#due?.cancel();
    this.#due = undefined;
    this.#offered = undefined;
  }

  #waitMs(): number {
    if (this.#offeredAt === undefined) return 0;
    return this.#offeredAt + everyMs - this.#options.clock.monotonic();
  }

  async #offer(): Promise<void> {
    const { keys, device, clock, logger } = this.#options;
    this.#offeredAt = clock.monotonic();
    this.#isOffering = true;
    try {
      const { publicKey, proof } = await keys.next(device);
      this.#offered = publicKey;
      this.#link?.control({ action: 'rotate', publicKey, proof });
      logger.info({ publicKey }, 'the relay wants another key: the next one is offered');
    } catch (error) {
      logger.error({ err: error }, 'the relay wants another key, but none can be made');
    } finally {
      this.#isOffering = false;
    }
  }
}
