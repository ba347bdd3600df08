import type { Clock } from '@pullwire/shared';
import type { GatewayCounts } from './gateway-counts.ts';
import type { Hop } from './hop.ts';
import { LambdaEmulator } from './lambda-emulator.ts';
import type { Compose } from './lambda-environment.ts';
import { LambdaError } from './lambda-error.ts';
import type { RelayManifest } from './manifest.ts';

export interface FunctionFleetOptions {
  readonly composes: Readonly<Record<string, Compose>>;
  readonly manifest: RelayManifest;
  readonly clock: Clock;
  readonly hop: Hop;
  readonly counts: GatewayCounts;
  /** Of each function. */
  readonly maxEnvironments: number | undefined;
  readonly freezes: boolean;
}

/** The functions of the manifest that a test composes, each with the manifest's time-out. */
export class FunctionFleet {
  readonly #options: FunctionFleetOptions;
  readonly #emulators: ReadonlyMap<string, LambdaEmulator>;
  #stopped = false;

  constructor(options: FunctionFleetOptions) {
    this.#options = options;
    this.#emulators = new Map(
      Object.entries(options.composes).map(([name, compose]) => [
        name,
        emulate(name, compose, options),
      ]),
    );
  }

  /** Throws where the test composed no function of that name. */
  get(name: string): LambdaEmulator {
    const emulator = this.#emulators.get(name);
    if (emulator === undefined) throw new Error(`no function ${name} was composed`);
    return emulator;
  }

  /** An invocation by the gateway, over the network. Rejects with `LambdaError`. */
  async invoke(name: string, event: unknown): Promise<unknown> {
    const emulator = this.get(name);
    await this.#options.hop.pass();
    if (this.#stopped) throw new LambdaError('throttled', `${name}: the gateway has stopped`);
    this.#options.counts.invoked(name);
    return emulator.invoke(event);
  }

  /** Ends every environment; nothing is invoked any more. */
  stop(): void {
    this.#stopped = true;
    for (const emulator of this.#emulators.values()) emulator.retire();
  }
}

function emulate(name: string, compose: Compose, options: FunctionFleetOptions): LambdaEmulator {
  const { manifest, clock, maxEnvironments, freezes } = options;
  const declared = manifest.functions[name];
  if (declared === undefined) throw new Error(`terraform/relay.json has no function ${name}`);
  return new LambdaEmulator({
    name,
    compose,
    clock,
    freezes,
    timeoutMs: declared.timeoutSeconds * 1000,
    ...(maxEnvironments === undefined ? {} : { maxEnvironments }),
  });
}
