import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const dynalite = join(root, 'node_modules', 'dynalite', 'cli.js');

/** A DynamoDB endpoint in a process of its own, on a port of loopback, that the test can stop and kill. */
export class TableProcess {
  readonly #folder: string;
  #child: ChildProcess | undefined;
  #port = 0;

  /** `folder` keeps the tables over a kill. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Keeps its port over a kill. */
  async start(): Promise<void> {
    const place = ['--host', '127.0.0.1', '--path', this.#folder, '--createTableMs', '0'];
    this.#port ||= await freePort();
    this.#child = spawn(process.execPath, [dynalite, ...place, '--port', String(this.#port)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(this.#child.stdout as NodeJS.ReadableStream, 'data'); // "Dynalite listening at"
  }

  /** How `pullwire-relay` finds it, with credentials that it does not check. */
  get args(): string[] {
    const endpoint = `http://127.0.0.1:${this.#port}`;
    return ['--table', 'pullwire-degrade', '--region', 'eu-central-1', '--endpoint', endpoint];
  }

  /** It hangs: its connections stay, and nothing is answered. */
  hang(): void {
    this.#child?.kill('SIGSTOP');
  }

  goOn(): void {
    this.#child?.kill('SIGCONT');
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}

/** dynalite's command takes no port 0. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
