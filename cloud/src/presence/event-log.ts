import type { PresenceEvent } from './presence-event.ts';

/** Events of some hours of a restless fleet, in at most a few megabytes. */
const kept = 10_000;

/** What happened lately, in memory. Ids say which run of the relay they are of: after a restart none goes on. */
export class EventLog {
  readonly #epoch: string;
  readonly #kept: number;
  readonly #events: PresenceEvent[] = [];
  /** Of the first event that is kept. */
  #first = 1;
  readonly #readers = new Set<() => void>();

  /** `epoch`: another one at each start, of letters and digits. */
  constructor(epoch: string, mostEvents = kept) {
    this.#epoch = epoch;
    this.#kept = mostEvents;
  }

  /** The number of the next event. */
  get next(): number {
    return this.#first + this.#events.length;
  }

  append(event: PresenceEvent): void {
    this.#events.push(event);
    // A tenth at a time, since an array moves all that is left.
    if (this.#events.length >= this.#kept * 1.1) {
      const old = this.#events.length - this.#kept;
      this.#events.splice(0, old);
      this.#first += old;
    }
    for (const told of this.#readers) told();
  }

  /** The event of this number; undefined where it is not there yet, or any more. */
  at(number: number): PresenceEvent | undefined {
    return this.#events[number - this.#first];
  }

  /** Whether an event of this number was dropped. */
  hasDropped(number: number): boolean {
    return number < this.#first;
  }

  /** The id of the event of this number; of the one before the first, 0. */
  idOf(number: number): string {
    return `${this.#epoch}-${number}`;
  }

  /** Where whoever has read the event of this id goes on, or why it cannot. */
  after(id: string): number | 'other-run' | 'too-old' {
    const [epoch, text = '', ...more] = id.split('-');
    const number = Number(text);
    const wellFormed = more.length === 0 && /^\d{1,15}$/.test(text);
    if (epoch !== this.#epoch || !wellFormed || number >= this.next) return 'other-run';
    return this.hasDropped(number + 1) ? 'too-old' : number + 1;
  }

  /** Tells of each event from now on that it is there. Returns what ends that. */
  follow(told: () => void): () => void {
    this.#readers.add(told);
    return () => this.#readers.delete(told);
  }
}
