import type { Clock, SourceInfo, Timer } from '@pullwire/shared';
import { Policy } from './policy/policy.ts';
import type { PolicedSource } from './pull/policed-source.ts';
import { openSource, SourceOpenError } from './source/open-source.ts';
import type { SourceConfigs } from './source/source-config.ts';
import type { SourceDeps } from './source/source-deps.ts';

/** A source that is open, with the policy before it. */
interface OpenedSource extends PolicedSource {
  readonly policy: Policy;
}

/** How often it is looked whether the last pull of a replaced source has ended. */
const retiredLookMs = 5_000;

/** The open sources, which a reload replaces while pulls are under way. */
export class AgentSources {
  readonly #deps: SourceDeps;
  readonly #clock: Clock;
  readonly #use: (sources: ReadonlyMap<string, PolicedSource>) => void;
  #current: ReadonlyMap<string, OpenedSource> = new Map();
  readonly #retired = new Set<OpenedSource>();
  #look: Timer | undefined;

  /** `use` is told at once what new pulls may use. */
  constructor(deps: SourceDeps, use: (sources: ReadonlyMap<string, PolicedSource>) => void) {
    this.#deps = deps;
    this.#clock = deps.clock;
    this.#use = use;
  }

  /** What `hello` says of them. */
  get infos(): readonly SourceInfo[] {
    return infosOf(this.#current);
  }

  /**
   * Opens these in place of the current ones, which are closed when their last pull has ended. `admit` may still refuse
   * them by throwing.
   *
   * @throws SourceOpenError with the problems of all, or what `admit` threw; nothing has changed then.
   */
  async replace(
    configs: SourceConfigs,
    admit: (infos: readonly SourceInfo[]) => void,
  ): Promise<void> {
    const opened = await this.#openAll(configs);
    try {
      admit(infosOf(opened));
    } catch (error) {
      await closeAll([...opened.values()]);
      throw error;
    }
    for (const source of this.#current.values()) this.#retired.add(source);
    this.#current = opened;
    this.#use(opened);
    await this.#closeIdle();
  }

  async close(): Promise<void> {
    this.#look?.cancel();
    const all = [...this.#current.values(), ...this.#retired];
    this.#current = new Map();
    this.#retired.clear();
    await closeAll(all);
  }

  async #openAll(configs: SourceConfigs): Promise<ReadonlyMap<string, OpenedSource>> {
    const opened = new Map<string, OpenedSource>();
    const problems: SourceOpenError['problems'][number][] = [];
    for (const [name, config] of configs) {
      try {
        const source = openSource(name, config, this.#deps);
        opened.set(name, {
          source,
          policy: new Policy(name, config, () => this.#clock.monotonic()),
        });
      } catch (error) {
        if (!(error instanceof SourceOpenError)) throw error;
        problems.push(...error.problems);
      }
    }
    if (problems.length === 0) return opened;
    await closeAll([...opened.values()]);
    throw new SourceOpenError(problems);
  }

  /** A look every few seconds costs less than a word from every pull. */
  async #closeIdle(): Promise<void> {
    this.#look?.cancel();
    const idle = [...this.#retired].filter(({ policy }) => policy.inFlight === 0);
    for (const source of idle) this.#retired.delete(source);
    if (this.#retired.size > 0) {
      this.#look = this.#clock.after(retiredLookMs, () => void this.#closeIdle());
    }
    await closeAll(idle);
  }
}

const infosOf = (sources: ReadonlyMap<string, PolicedSource>): readonly SourceInfo[] =>
  [...sources.values()].map(({ source }) => source.info);

/** Tries every one. */
async function closeAll(sources: readonly OpenedSource[]): Promise<void> {
  await Promise.allSettled(sources.map(({ source }) => source.close()));
}
