import { createSecureContext } from 'node:tls';
import type { HttpSourceConfig } from './http-config.ts';
import { readText } from './secret-text.ts';
import type { SourceDeps } from './source-deps.ts';

/** What `tls.connect` needs to know; certificates are read when the source is opened. */
export interface HttpTls {
  readonly minVersion: 'TLSv1.2';
  /** Said so that `NODE_TLS_REJECT_UNAUTHORIZED` cannot unsay it. */
  readonly rejectUnauthorized: true;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
}

/** Throws `Error` with what is expected where a file cannot be read or is not what it should be. */
export function readTls(config: HttpSourceConfig, deps: SourceDeps): HttpTls {
  const { ca, cert, key, serverName } = config;
  const tls: HttpTls = {
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
    ...(ca === undefined ? undefined : { ca: readText(ca, deps) }),
    ...(cert === undefined ? undefined : { cert: readText(cert, deps) }),
    ...(key === undefined ? undefined : { key: readText(key, deps) }),
    ...(serverName === undefined ? undefined : { servername: serverName }),
  };
  try {
    createSecureContext(tls);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'not PEM';
    throw new Error(`\`ca\`, \`cert\` and \`key\` to be PEM files that fit together (${code})`);
  }
  return tls;
}
