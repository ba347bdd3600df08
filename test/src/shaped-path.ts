import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const tool = (name: string): string => fileURLToPath(new URL(`../tools/${name}`, import.meta.url));

export interface PathShape {
  /** Of IP packets, each way: 0 to 1. */
  readonly loss: number;
  readonly bitsPerSecond: number;
  readonly delayMs: number;
}

/** Where a program runs. */
export type PathSide = 'agent' | 'relay';

export const relayName = 'relay.test';

/**
 * Two network namespaces, for an agent and a relay, and between them a third in which a program passes on packets with
 * loss, delay and a rate. Nothing of it can be seen from outside. Wants root.
 */
export class ShapedPath {
  /** In its namespace. */
  static readonly relayAddress = '10.231.7.1';
  readonly #id = `pw${process.pid}`;
  #shaper: ChildProcess | undefined;
  readonly #moves: { readonly side: PathSide; readonly at: number }[] = [];

  /** The command before that of a program which runs on this side. */
  within(side: PathSide): readonly string[] {
    return ['ip', 'netns', 'exec', this.#name(side)];
  }

  async start({ loss, bitsPerSecond, delayMs }: PathShape): Promise<void> {
    this.#writeHosts(`${ShapedPath.relayAddress} ${relayName}`);
    for (const side of ['agent', 'relay', 'middle'] as const) {
      ip('netns', 'add', this.#name(side));
      ip('-n', this.#name(side), 'link', 'set', 'dev', 'lo', 'up');
    }
    for (const side of ['agent', 'relay'] as const) this.#wire(side);
    this.address('add', '10.231.7.2');
    ip('-n', this.#name('relay'), 'addr', 'add', `${ShapedPath.relayAddress}/24`, 'dev', 'end');
    const how = [loss, bitsPerSecond, delayMs].map(String);
    const [file, ...args] = [...this.#within('middle'), 'python3', tool('shaper.py')];
    this.#shaper = spawn(file as string, [...args, 'agent', 'relay', ...how], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const said = createInterface({ input: this.#shaper.stdout as NodeJS.ReadableStream });
    await once(said, 'line');
    said.on('line', (line) => {
      const [, side, at] = line.split(' ');
      this.#moves.push({ side: side as PathSide, at: Number(at) });
    });
  }

  /**
   * For how long, in milliseconds, nothing that this side sent was known there to have arrived, when it was `at` (epoch
   * milliseconds). To a second.
   */
  stoodStillMs(side: PathSide, at: number): number {
    const last = this.#moves.findLast((move) => move.side === side && move.at <= at);
    return at - (last?.at ?? 0);
  }

  /** Gives the agent's side another address, or takes one away. */
  address(verb: 'add' | 'del', address: string): void {
    ip('-n', this.#name('agent'), 'addr', verb, `${address}/24`, 'dev', 'end');
  }

  /** Whether the agent's side can find the relay by its name. */
  resolves(yes: boolean): void {
    this.#writeHosts(yes ? `${ShapedPath.relayAddress} ${relayName}` : '');
  }

  stop(): void {
    this.#shaper?.kill();
    for (const side of ['agent', 'relay', 'middle'] as const) {
      try {
        ip('netns', 'del', this.#name(side));
      } catch {
        // It was not made.
      }
    }
    rmSync(this.#etc, { recursive: true, force: true });
  }

  #wire(side: PathSide): void {
    const [own, middle] = [this.#name(side), this.#name('middle')];
    ip('link', 'add', 'end', 'netns', own, 'type', 'veth', 'peer', 'name', side, 'netns', middle);
    for (const [where, device] of [
      [own, 'end'],
      [middle, side],
    ] as const) {
      execFileSync('ip', ['netns', 'exec', where, 'python3', tool('no-offload.py'), device]);
      ip('-n', where, 'link', 'set', 'dev', device, 'up');
    }
  }

  /** `ip netns exec` puts these files in the place of those in /etc. */
  #writeHosts(line: string): void {
    mkdirSync(this.#etc, { recursive: true });
    writeFileSync(`${this.#etc}/hosts`, `127.0.0.1 localhost\n${line}\n`);
    writeFileSync(
      `${this.#etc}/resolv.conf`,
      'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n',
    );
  }

  get #etc(): string {
    return `/etc/netns/${this.#name('agent')}`;
  }

  #within(side: PathSide | 'middle'): string[] {
    return ['ip', 'netns', 'exec', this.#name(side)];
  }

  #name(side: PathSide | 'middle'): string {
    return `${this.#id}-${side}`;
  }
}

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** Why namespaces cannot be made here; undefined where they can. Throws in CI where they can and only `python3` is missing. */
export function noNamespaces(): string | undefined {
  if (process.getuid?.() !== 0) return 'network namespaces want root';
  const name = `pw${process.pid}-try`;
  try {
    ip('netns', 'add', name);
    ip('netns', 'del', name);
  } catch {
    return 'network namespaces cannot be made here';
  }
  return noShaper();
}

/** Why packets cannot be shaped. */
function noShaper(): string | undefined {
  try {
    execFileSync('python3', ['--version'], { stdio: 'ignore' });
    return undefined;
  } catch (cause) {
    const reason = 'python3, which shapes packets, cannot be run here';
    // What CI leaves out nobody would miss.
    if (process.env['CI'] === 'true') throw new Error(reason, { cause });
    return reason;
  }
}
