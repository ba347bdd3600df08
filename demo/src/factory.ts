import { appendFile, mkdir } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { freemem, loadavg, totalmem, uptime } from 'node:os';
import { join } from 'node:path';

/** A "device" with data of this very machine: an HTTP service on loopback, and a log that grows. */
export class Factory {
  readonly logFolder: string;
  readonly #server: Server;
  readonly #logFile: string;
  #timer: NodeJS.Timeout | undefined;
  #lines = 0;

  constructor(folder: string) {
    this.logFolder = join(folder, 'log');
    this.#logFile = join(this.logFolder, 'machine.log');
    this.#server = createServer((request, response) => {
      response.setHeader('Content-Type', 'text/plain; version=0.0.4; charset=utf-8');
      response.end(request.url === '/metrics' ? metrics() : 'try /metrics\n');
    });
  }

  /** Resolves with the URL of the HTTP service. */
  async start(): Promise<string> {
    await mkdir(this.logFolder, { recursive: true });
    for (let i = 0; i < 5; i += 1) await this.#log();
    this.#timer = setInterval(() => void this.#log(), 1_000);
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return `http://127.0.0.1:${address.port}`;
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #log(): Promise<void> {
    this.#lines += 1;
    const load = loadavg()[0]?.toFixed(2);
    await appendFile(
      this.#logFile,
      `${new Date().toISOString()} cycle ${this.#lines} done, load ${load}\n`,
    );
  }
}

/** What this machine says about itself, in Prometheus' text format. */
function metrics(): string {
  const [one, five, fifteen] = loadavg();
  return [
    '# TYPE machine_load gauge',
    `machine_load{minutes="1"} ${one}`,
    `machine_load{minutes="5"} ${five}`,
    `machine_load{minutes="15"} ${fifteen}`,
    '# TYPE machine_memory_bytes gauge',
    `machine_memory_bytes{kind="total"} ${totalmem()}`,
    `machine_memory_bytes{kind="free"} ${freemem()}`,
    '# TYPE machine_uptime_seconds counter',
    `machine_uptime_seconds ${uptime()}`,
    '',
  ].join('\n');
}
