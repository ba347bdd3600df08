import type { SourceInfo } from '@pullwire/shared';
import { type ArgumentPiece, fillArgument, parseArgument } from './command-argument.ts';
import type { CommandSourceConfig } from './command-config.ts';
import { commandEnvironment } from './command-environment.ts';
import { CommandParameter } from './command-parameter.ts';
import { readParameters } from './command-query.ts';
import { CommandRun, type CommandRunContext } from './command-run.ts';
import type { ProcessSpec } from './process-group.ts';
import type { ReplyWriter, Source, SourceRequest, SourceRun } from './source.ts';
import type { SourceDeps } from './source-deps.ts';

/** A program on the device, run once for each pull. */
export class CommandSource implements Source {
  readonly info: SourceInfo;
  readonly #context: CommandRunContext;
  readonly #argv: readonly (readonly ArgumentPiece[])[];
  readonly #parameters: ReadonlyMap<string, CommandParameter>;
  readonly #env: Readonly<Record<string, string>>;

  /** `env` is the configured part of the environment, secrets read. The rest is `PATH` and `LANG`. */
  constructor(
    info: SourceInfo,
    config: CommandSourceConfig,
    env: Readonly<Record<string, string>>,
    deps: SourceDeps,
  ) {
    this.info = info;
    this.#context = { name: info.name, config, clock: deps.clock, living: new Set() };
    this.#argv = config.argv.map(parseArgument);
    this.#parameters = new Map(
      Object.entries(config.parameters).map(([name, parameter]) => [
        name,
        new CommandParameter(parameter),
      ]),
    );
    this.#env = commandEnvironment(env, deps);
  }

  open(request: SourceRequest, reply: ReplyWriter): SourceRun {
    const run = new CommandRun(this.#context, request, reply);
    run.start(() => this.#spec(request.query));
    return run;
  }

  /** Kills what was cancelled and has not exited yet. */
  async close(): Promise<void> {
    await Promise.all([...this.#context.living].map((group) => group.kill()));
  }

  /** Throws `PullFault` where a parameter is refused. */
  #spec(query: string | undefined): ProcessSpec {
    const values = readParameters(query, this.#parameters);
    const { cwd, stderrTail } = this.#context.config;
    return {
      argv: this.#argv.map((pieces) => fillArgument(pieces, values)),
      env: this.#env,
      cwd,
      wantsStderr: stderrTail > 0,
    };
  }
}
