import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CertificateFiles } from './certificate.ts';

export interface CertificateChain extends CertificateFiles {
  /** The root's, which a server does not send. */
  readonly ca: string;
  /** What a server sends, without PEM's dress. */
  readonly bytes: number;
}

/** What public authorities add to theirs: policies, addresses, and the time stamps of certificate logs. */
const paddingBytes = 300;

/** RSA-2048, and as many as Amazon's servers show: a root, three authorities below it, and a certificate for loopback. */
export function makeCertificateChain(folder: string): CertificateChain {
  const path = (name: string): string => join(folder, `chain-${name}`);
  const make = (name: string, issuer?: string): void => {
    const signed =
      issuer === undefined ? [] : ['-CA', path(`${issuer}.crt`), '-CAkey', path(`${issuer}.key`)];
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '3', ...signed],
        ...['-subj', `/C=US/O=Pullwire/CN=${name}`],
        ...['-keyout', path(`${name}.key`), '-out', path(`${name}.crt`)],
        ...['-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'],
        ...['-addext', `nsComment=${'x'.repeat(paddingBytes)}`],
      ],
      { stdio: 'ignore' },
    );
  };
  make('root');
  make('upper', 'root');
  make('middle', 'upper');
  make('lower', 'middle');
  make('leaf', 'lower');
  const shown = ['leaf', 'lower', 'middle', 'upper'];
  const sent = shown.map((name) => readFileSync(path(`${name}.crt`), 'utf8'));
  writeFileSync(path('sent.crt'), sent.join(''));
  const bytes = sent.reduce((sum, pem) => sum + derBytes(pem), 0);
  return { cert: path('sent.crt'), key: path('leaf.key'), ca: path('root.crt'), bytes };
}

function derBytes(pem: string): number {
  return Buffer.from(pem.replace(/-----.*?-----/g, ''), 'base64').length;
}
