import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { findMinistack } from './find-ministack.ts';

/** Every value does: ministack does not look at them, and takes an account from the first where it has 12 digits. */
export const testCredentials = { accessKeyId: 'test', secretAccessKey: 'test' } as const;

/** Lines kept of what ministack says, for the error where it ends. */
const tailLines = 30;

/**
 * ministack, an AWS on loopback that others wrote (PyPI, 1.5.33), in a folder and a process group of its own. What it
 * does otherwise than AWS is in `differences.test.ts`.
 */
export class Ministack {
  readonly endpoint: string;
  readonly region = 'us-east-1';
  readonly folder: string;
  readonly #child: ChildProcess;
  readonly #tail: string[] = [];

  private constructor(folder: string, port: number, child: ChildProcess) {
    this.folder = folder;
    this.endpoint = `http://127.0.0.1:${port}`;
    this.#child = child;
  }

  /**
   * Resolves when it serves: about 1 s. Throws with what it said where it ends instead. `environment`: further
   * variables that its functions inherit, such as `AWS_ENDPOINT_URL` of a `Tap`.
   */
  static async start(environment: Readonly<Record<string, string>> = {}): Promise<Ministack> {
    const found = findMinistack();
    if ('skip' in found) throw new Error(found.skip);
    const folder = await mkdtemp(join(tmpdir(), 'pullwire-ministack-'));
    const port = await freePort();
    await mkdir(join(folder, 'log'));
    const env = { ...environment, ...(await functionHost(folder)), ...settings(folder, port) };
    // A group of its own: the processes of its functions are ended with it.
    const child = spawn(found.path, [], {
      cwd: folder,
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ministack = new Ministack(folder, port, child);
    process.once('exit', ministack.#kill);
    try {
      await ministack.#serving();
      return ministack;
    } catch (error) {
      await ministack.stop();
      throw error;
    }
  }

  /** What a client of the SDK needs to come here. */
  get client(): { endpoint: string; region: string; credentials: typeof testCredentials } {
    return { endpoint: this.endpoint, region: this.region, credentials: testCredentials };
  }

  /** The same for a process. */
  get environment(): Record<string, string> {
    return {
      AWS_ACCESS_KEY_ID: testCredentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: testCredentials.secretAccessKey,
      AWS_REGION: this.region,
      AWS_ENDPOINT_URL: this.endpoint,
    };
  }

  /** What a function wrote on stdout and stderr so far; empty where it never ran. */
  async functionLog(functionName: string): Promise<string> {
    return readFile(join(this.folder, 'log', functionName), 'utf8').catch(() => '');
  }

  /** Ends it with every function. Nothing of it is left. */
  async stop(): Promise<void> {
    process.off('exit', this.#kill);
    const child = this.#child;
    const ended = child.exitCode !== null || child.signalCode !== null;
    const exit = ended ? undefined : once(child, 'exit');
    this.#kill();
    await exit;
    await rm(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }

  /** At once: on SIGTERM it waits for functions that wait for us, and leaves their processes behind. */
  readonly #kill = (): void => {
    if (this.#child.pid === undefined) return;
    try {
      process.kill(-this.#child.pid, 'SIGKILL');
    } catch {
      // the group is gone already
    }
  };

  async #serving(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      for (const stream of [this.#child.stdout, this.#child.stderr]) {
        if (stream === null) continue;
        createInterface({ input: stream }).on('line', (line) => {
          this.#tail.push(line);
          if (this.#tail.length > tailLines) this.#tail.shift();
          if (line.includes('Running on http://')) resolve();
        });
      }
      this.#child.once('error', reject);
      this.#child.once('exit', (code, signal) => {
        const said = this.#tail.join('\n');
        reject(new Error(`ministack ended (${code ?? signal}) before it served:\n${said}`));
      });
    });
    const health = await fetch(`${this.endpoint}/_ministack/health`);
    await health.body?.cancel();
    if (!health.ok) throw new Error(`ministack says of its health: ${health.status}`);
  }
}

/** The default address is every interface; the temporary folder holds its functions and its pid file. */
function settings(folder: string, port: number): Record<string, string> {
  return {
    BIND_HOST: '127.0.0.1',
    GATEWAY_PORT: String(port),
    TMPDIR: folder,
    HOME: folder,
    PYTHONUNBUFFERED: '1',
  };
}

/**
 * The `node` that functions run on: ministack takes the first in PATH. Ours is the one that runs this file. It copies
 * what a function writes into a file, as ministack keeps no log of a WebSocket's functions, and lets the SDK name the
 * function in its requests (AWS SDKs and Tools Reference Guide, "Application ID").
 */
async function functionHost(folder: string): Promise<Record<string, string>> {
  const bin = join(folder, 'bin');
  await mkdir(bin);
  const script = `#!/bin/bash
exec 2> >(exec tee --append "$PULLWIRE_FUNCTION_LOGS/$AWS_LAMBDA_FUNCTION_NAME" >&2)
export AWS_SDK_UA_APP_ID=$AWS_LAMBDA_FUNCTION_NAME
exec "$PULLWIRE_FUNCTION_NODE" "$@"
`;
  await writeFile(join(bin, 'node'), script);
  await chmod(join(bin, 'node'), 0o755);
  return {
    PATH: `${bin}:/usr/local/bin:/usr/bin:/bin`,
    PULLWIRE_FUNCTION_NODE: process.execPath,
    PULLWIRE_FUNCTION_LOGS: join(folder, 'log'),
  };
}

/** ministack cannot take port 0. */
async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('there is no free port');
  return address.port;
}
