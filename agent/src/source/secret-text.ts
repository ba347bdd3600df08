import * as v from 'valibot';
import { absolutePath, strictMap, textMatching } from './config-schema.ts';
import type { SourceDeps } from './source-deps.ts';

export const environmentName = textMatching(
  'the name of an environment variable',
  /^[A-Za-z_][A-Za-z0-9_]*$/,
);

/** Text in the configuration, or by reference so that a secret stays out of it. */
export const secretText = v.union(
  [v.string(), strictMap({ env: environmentName }), strictMap({ file: absolutePath })],
  'text, {env: NAME} or {file: /absolute/path}',
);
export type SecretText = v.InferOutput<typeof secretText>;

/**
 * The text itself. A file's last line break is not part of it: editors and mounted secrets add one. Throws `Error` with
 * what is missing, never with the text.
 */
export function readSecretText(text: SecretText, deps: SourceDeps): string {
  if (typeof text === 'string') return text;
  if ('file' in text) return readText(text.file, deps).replace(/\r?\n$/, '');
  const value = deps.env[text.env];
  if (value === undefined) throw new Error(`the environment variable ${text.env} to be set`);
  return value;
}

export function readText(path: string, deps: SourceDeps): string {
  try {
    return deps.readFile(path).toString('utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'failed';
    throw new Error(`the file ${path} to be readable (${code})`, { cause: error });
  }
}
