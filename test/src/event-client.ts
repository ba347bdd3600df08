/** One event as a client reads it. */
export interface HeardEvent {
  readonly id: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

type Ask = (headers: Readonly<Record<string, string>>) => Promise<Response>;

/**
 * A client of server-sent events as HTML has it: it comes back where a stream ends, after the time that it was told,
 * with the last id that it read; a status other than 200 ends it for good.
 */
export class EventClient {
  readonly heard: HeardEvent[] = [];
  /** How often it was answered. */
  streams = 0;
  lastEventId: string;
  /** Resolves with the status that ended it; rejects never. */
  readonly refused: Promise<number>;
  readonly #ask: Ask;
  readonly #abort = new AbortController();
  readonly #refuse: (status: number) => void;
  readonly #looks = new Set<() => void>();
  #retryMs = 1_000;

  constructor(ask: Ask, lastEventId = '') {
    const refused = Promise.withResolvers<number>();
    this.refused = refused.promise;
    this.#refuse = refused.resolve;
    this.#ask = ask;
    this.lastEventId = lastEventId;
  }

  /** Resolves when the first stream says where it is. */
  async start(): Promise<this> {
    void this.#run();
    await this.#until(() => (this.lastEventId === '' ? undefined : true));
    return this;
  }

  /** The first event that is so, heard by now or later. */
  hears(wanted: (event: HeardEvent) => boolean): Promise<HeardEvent> {
    return this.#until(() => this.heard.find(wanted));
  }

  stop(): void {
    this.#abort.abort();
  }

  get types(): string[] {
    return this.heard.map(({ type }) => type);
  }

  #until<T>(look: () => T | undefined): Promise<T> {
    return new Promise((resolve) => {
      const again = (): void => {
        const found = look();
        if (found === undefined) return;
        this.#looks.delete(again);
        resolve(found);
      };
      this.#looks.add(again);
      again();
    });
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      try {
        const id = this.lastEventId === '' ? undefined : { 'Last-Event-ID': this.lastEventId };
        const answer = await this.#ask({ Accept: 'text/event-stream', ...id });
        if (answer.status !== 200) return this.#refuse(answer.status);
        this.streams += 1;
        await this.#read(answer);
      } catch {
        // Broken off, or the relay is away for the moment: it comes back like any other.
      }
      await new Promise((resolve) => setTimeout(resolve, this.#retryMs));
    }
  }

  async #read(answer: Response): Promise<void> {
    let text = '';
    const cancel = (): void => void reader?.cancel();
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
    this.#abort.signal.addEventListener('abort', cancel);
    for (;;) {
      const { value, done } = (await reader?.read()) ?? { value: undefined, done: true };
      if (done || value === undefined) return;
      text += value;
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) this.#take(block);
    }
  }

  #take(block: string): void {
    const fields = new Map<string, string>();
    for (const line of block.split('\n')) {
      const at = line.indexOf(':');
      if (at > 0) fields.set(line.slice(0, at), line.slice(at + 1).trimStart());
    }
    const { lastEventId } = this;
    this.lastEventId = fields.get('id') ?? lastEventId;
    this.#retryMs = Number(fields.get('retry') ?? this.#retryMs);
    const data = fields.get('data');
    if (data !== undefined) {
      const type = fields.get('event') ?? 'message';
      this.heard.push({ id: this.lastEventId, type, data: JSON.parse(data) });
    }
    for (const look of [...this.#looks]) look();
  }
}
