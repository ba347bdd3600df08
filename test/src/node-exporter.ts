import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A real prometheus-node-exporter on a port of loopback. */
export class NodeExporter {
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
  }

  /** Resolves when it listens. `path`: where the program is; `port` 0: the system picks one. */
  static async start(path: string, port = 0): Promise<NodeExporter> {
    const child = spawn(path, [`--web.listen-address=127.0.0.1:${port}`], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    return new NodeExporter(child, `http://${await listening(child)}`);
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** What it says itself. */
  async metrics(): Promise<string> {
    return (await fetch(`${this.url}/metrics`)).text();
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGTERM');
    await once(this.#child, 'close');
  }
}

/** The address that its log names. */
async function listening(child: ChildProcess): Promise<string> {
  const said: string[] = [];
  if (child.stderr === null) throw new Error('prometheus-node-exporter has no stderr');
  for await (const line of createInterface({ input: child.stderr })) {
    said.push(line);
    const address = /msg="Listening on" address=(\S+)/.exec(line)?.[1];
    if (address === undefined) continue;
    child.stderr.resume();
    return address;
  }
  throw new Error(`prometheus-node-exporter did not start:\n${said.join('\n')}`);
}
