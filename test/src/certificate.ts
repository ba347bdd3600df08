import { execFileSync } from 'node:child_process';
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { fakedClock } from './faketime.ts';

export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

export interface Validity {
  readonly days: number;
  /** When it begins, from now: `-2d`. */
  readonly from: string;
}

/**
 * A certificate for 127.0.0.1 and localhost, made by the system's openssl; `name` is its subject. Without an `issuer` it
 * is self-signed.
 */
export function makeCertificate(
  folder: string,
  name: string,
  { days, from }: Validity = { days: 2, from: '+0d' },
  issuer?: CertificateFiles,
): CertificateFiles {
  const files = { cert: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
  const signed = issuer === undefined ? [] : ['-CA', issuer.cert, '-CAkey', issuer.key];
  execFileSync(
    'openssl',
    [
      ...[
        'req',
        '-x509',
        ...signed,
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
      ],
      ...['-days', String(days), '-subj', `/CN=${name}`, '-keyout', files.key, '-out', files.cert],
      ...['-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'],
    ],
    {
      stdio: 'ignore',
      ...(from === '+0d' ? {} : { env: { ...process.env, ...fakedClock(from) } }),
    },
  );
  return files;
}

/** Puts `next` in the place of `current`, as renewal tools do: each file at once. */
export function renewCertificate(current: CertificateFiles, next: CertificateFiles): void {
  renameSync(next.key, current.key);
  renameSync(next.cert, current.cert);
}
