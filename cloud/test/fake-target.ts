import {
  codecFor,
  type Pull,
  type PullFault,
  type RelayMessage,
  type Subprotocol,
} from '@pullwire/shared';
import type { Connection } from '../src/connection/connection.ts';
import type { LinkedPull, PullTarget } from '../src/pull/pull-target.ts';

/** A link whose agent is the test: it sees what was sent down. */
export class FakeTarget implements PullTarget, Connection {
  readonly device: string;
  instance = 'main';
  connectionId = 'c1';
  draining = false;
  readonly sent: RelayMessage[] = [];
  readonly pulls = new Map<string, LinkedPull>();
  readonly #sources: readonly string[];
  readonly #subprotocol: Subprotocol;
  /** What every frame is refused with. */
  fails: PullFault | undefined;
  /** What `data` answers. */
  hasRoom = true;
  partHeardAt: number | undefined;

  constructor(
    device = 'plant-7',
    sources = ['metrics'],
    subprotocol: Subprotocol = 'pullwire.v1+bin',
  ) {
    this.device = device;
    this.#sources = sources;
    this.#subprotocol = subprotocol;
  }

  get connection(): Connection {
    return this;
  }

  get limits(): Connection['limits'] {
    return codecFor(this.#subprotocol).limits;
  }

  get inFlight(): number {
    return this.pulls.size;
  }

  /** The one pull that was sent. */
  get pull(): Pull {
    const pulls = this.sent.filter((message) => message.action === 'pull');
    if (pulls.length !== 1) throw new Error(`${pulls.length} pulls were sent`);
    return pulls[0] as Pull;
  }

  get actions(): string[] {
    return this.sent.map((message) => message.action);
  }

  bodyRoom(pull: Pull): number {
    return codecFor(this.#subprotocol).bodyRoom(pull);
  }

  control(message: RelayMessage): void {
    if (this.fails !== undefined) throw this.fails;
    this.sent.push(message);
  }

  data(_pullId: string, message: RelayMessage): boolean {
    if (this.fails !== undefined) throw this.fails;
    this.sent.push(message);
    return this.hasRoom;
  }

  forget(): void {}

  close(): void {}

  hasSource(name: string): boolean {
    return this.#sources.includes(name);
  }

  /** Its link ends: its pulls are told, and no other finds it any more. */
  lose(why = 'link-lost'): void {
    this.draining = true;
    for (const pull of [...this.pulls.values()]) pull.linkLost(why);
  }

  begin(pull: LinkedPull): void {
    this.pulls.set(pull.pullId, pull);
  }

  finish(pullId: string): void {
    this.pulls.delete(pullId);
  }
}
