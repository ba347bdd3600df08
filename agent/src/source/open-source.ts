import type { SourceInfo } from '@pullwire/shared';
import { CommandSource } from './command-source.ts';
import type { ConfigProblem } from './config-problem.ts';
import { FileSource } from './file-source.ts';
import type { HttpSourceConfig } from './http-config.ts';
import { HttpSource } from './http-source.ts';
import { type HttpTls, readTls } from './http-tls.ts';
import { readSecretText, type SecretText } from './secret-text.ts';
import type { Source } from './source.ts';
import type { SourceConfig } from './source-config.ts';
import type { SourceDeps } from './source-deps.ts';

/** A source's configuration names an environment variable or a file that is not there or not usable. */
export class SourceOpenError extends Error {
  override readonly name = 'SourceOpenError';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(({ key, expected }) => `${key}: expected ${expected}`).join('; '));
    this.problems = problems;
  }
}

/**
 * Opens a source that `parseSources` checked. What `{env}` and `{file}` name and the certificates are read now, once.
 * Throws `SourceOpenError` with every problem at once.
 */
export function openSource(name: string, config: SourceConfig, deps: SourceDeps): Source {
  const info = infoOf(name, config);
  if (config.kind === 'file') return new FileSource(info, config, deps);
  const problems = new Problems(`sources.${name}`);
  if (config.kind === 'command') {
    const env = readSecrets(config.env, 'env', deps, problems);
    problems.throwIfAny();
    return new CommandSource(info, config, Object.fromEntries(env), deps);
  }
  const headers = readSecrets(config.headers, 'headers', deps, problems);
  const tls = readTlsOrNote(config, deps, problems);
  for (const [header, value] of headers) {
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) {
      problems.note(`headers.${header}`, 'a header value: Latin-1 without line breaks');
    }
  }
  if (tls === undefined) return problems.throwAll();
  problems.throwIfAny();
  return new HttpSource(info, config, { headers: headers.flat(), tls }, deps);
}

function infoOf(name: string, config: SourceConfig): SourceInfo {
  const methods = new Set(config.allow.flatMap((rule) => rule.methods));
  return { name, kind: config.kind, methods: [...methods] };
}

function readSecrets(
  secrets: Readonly<Record<string, SecretText>>,
  key: string,
  deps: SourceDeps,
  problems: Problems,
): [name: string, value: string][] {
  return Object.entries(secrets).flatMap(([name, text]): [string, string][] => {
    try {
      return [[name, readSecretText(text, deps)]];
    } catch (error) {
      problems.note(`${key}.${name}`, (error as Error).message);
      return [];
    }
  });
}

function readTlsOrNote(
  config: HttpSourceConfig,
  deps: SourceDeps,
  problems: Problems,
): HttpTls | undefined {
  try {
    return readTls(config, deps);
  } catch (error) {
    problems.note('ca, cert, key', (error as Error).message);
    return undefined;
  }
}

class Problems {
  readonly #prefix: string;
  readonly #found: ConfigProblem[] = [];

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  note(key: string, expected: string): void {
    this.#found.push({ key: `${this.#prefix}.${key}`, value: undefined, expected });
  }

  throwIfAny(): void {
    if (this.#found.length > 0) this.throwAll();
  }

  throwAll(): never {
    throw new SourceOpenError(this.#found);
  }
}
