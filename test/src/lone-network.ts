import { execFileSync } from 'node:child_process';
import { createServer } from 'node:net';

/** A network namespace with nothing but loopback: every port is free there, and nobody else sees it. Wants root. */
export class LoneNetwork {
  readonly #name = `pw${process.pid}-lone`;

  /** Whether one can be made: the kernel may not let root, in a container for example. */
  static isPossible(): boolean {
    if (process.getuid?.() !== 0) return false;
    const network = new LoneNetwork();
    try {
      network.start();
      network.stop();
      return true;
    } catch {
      return false;
    }
  }

  /** The command before that of a program which runs there. */
  get within(): readonly string[] {
    return ['ip', 'netns', 'exec', this.#name];
  }

  start(): void {
    ip('netns', 'add', this.#name);
    ip('-n', this.#name, 'link', 'set', 'dev', 'lo', 'up');
  }

  stop(): void {
    ip('netns', 'del', this.#name);
  }
}

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** Whether a port of this machine's loopback can be had. */
export async function isPortFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
