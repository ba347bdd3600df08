import { Agent, type IncomingMessage, request } from 'node:http';

export interface SteadyCallerInit {
  readonly port: number;
  readonly path: string;
  readonly key: string;
  /** Pulls a second. */
  readonly rate: number;
}

export interface SteadyCounts {
  done: number;
  /** Nobody listened, or the kernel gave the connection up before the relay had it: these are asked again. */
  notAccepted: number;
  readonly failures: string[];
}

/** A caller that pulls at a steady rate over connections that it keeps, and asks again where nobody accepts it. */
export class SteadyCaller {
  readonly #init: SteadyCallerInit;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });
  readonly #underWay = new Set<Promise<void>>();
  readonly counts: SteadyCounts = { done: 0, notAccepted: 0, failures: [] };
  /** Milliseconds of the slowest answer. */
  slowestMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(init: SteadyCallerInit) {
    this.#init = init;
  }

  start(): void {
    this.#timer = setInterval(() => this.#pull(), 1_000 / this.#init.rate);
  }

  /** Resolves when the last pull has its answer. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#underWay);
    this.#agent.destroy();
  }

  #pull(): void {
    const pull = this.#ask().finally(() => this.#underWay.delete(pull));
    this.#underWay.add(pull);
  }

  async #ask(): Promise<void> {
    const startedAt = performance.now();
    for (;;) {
      const answer = await this.#try();
      if (answer === 'not accepted') {
        this.counts.notAccepted += 1;
        await new Promise((resolve) => setTimeout(resolve, 20)); // it is a caller's pause, no test's
        continue;
      }
      if (answer === 'done') this.counts.done += 1;
      else this.counts.failures.push(answer);
      this.slowestMs = Math.max(this.slowestMs, performance.now() - startedAt);
      return;
    }
  }

  #try(): Promise<string> {
    const { port, path, key } = this.#init;
    return new Promise((resolve) => {
      const asked = request({
        ...{ host: '127.0.0.1', port, path, agent: this.#agent },
        headers: { 'Pullwire-Key': key },
      });
      asked.on('response', (response) => void this.#read(response).then(resolve));
      asked.on('error', (error: Error & { code?: string }) => {
        const fresh = !asked.reusedSocket;
        const unheard = fresh && ['ECONNREFUSED', 'ECONNRESET'].includes(error.code ?? '');
        resolve(
          unheard ? 'not accepted' : `${error.code} on a ${fresh ? 'new' : 'kept'} connection`,
        );
      });
      asked.end();
    });
  }

  async #read(response: IncomingMessage): Promise<string> {
    try {
      const body = Buffer.concat(await response.toArray()).toString();
      return response.statusCode === 200 ? 'done' : `${response.statusCode} ${body}`;
    } catch (error) {
      return String(error);
    }
  }
}
