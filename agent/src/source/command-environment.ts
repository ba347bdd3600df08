import type { SourceDeps } from './source-deps.ts';

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** What a command finds in its environment: `own`, as it is configured, and else `PATH` and `LANG` alone. */
export function commandEnvironment(
  own: Readonly<Record<string, string>>,
  { env }: Pick<SourceDeps, 'env'>,
): Readonly<Record<string, string>> & { readonly PATH: string } {
  return { PATH: env['PATH'] ?? defaultPath, LANG: 'C.UTF-8', ...own };
}
