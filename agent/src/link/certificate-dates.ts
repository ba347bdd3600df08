import type { DetailedPeerCertificate } from 'node:tls';
import { cleanRemark } from './remark.ts';
import { type CertificateWay, showCertificate } from './shown-certificate.ts';

/** OpenSSL's verdicts on a certificate of the chain that is not, or no longer, valid. */
const verdicts: ReadonlySet<unknown> = new Set(['CERT_NOT_YET_VALID', 'CERT_HAS_EXPIRED']);

/** A chain of a peer that is not trusted: no longer one is read. */
const longestChain = 10;

export interface CertificateDates {
  /** Whose it is, by its own word. */
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** Whether a connection failed because the date is outside the validity of a certificate. */
export function isOutsideDates(error: unknown): boolean {
  return verdictOf(error) !== undefined;
}

/**
 * Why such a connection failed, for people: both dates, and what to do. There is no way around it: whoever can set the
 * device's clock back could use a certificate that was stolen long ago.
 */
export async function explainOutsideDates(error: unknown, way: CertificateWay): Promise<string> {
  const isEarly = verdictOf(error) === 'CERT_NOT_YET_VALID';
  const now = way.clock.wall();
  const chain = await readCertificateDates(way);
  const index = chain.findIndex(({ notBeforeMs, notAfterMs }) =>
    isEarly ? now < notBeforeMs : now > notAfterMs,
  );
  const found = chain[Math.max(index, 0)];
  const whose = ownerOf(found, index);
  const verdict = isEarly ? 'is not valid yet' : 'has expired';
  const validity =
    found === undefined
      ? ''
      : ` (valid from ${date(found.notBeforeMs)} to ${date(found.notAfterMs)})`;
  const cure = isEarly
    ? 'set this device’s clock'
    : 'renew the certificate, or set this device’s clock where that is wrong';
  return `${way.url.host}: ${whose} ${verdict}${validity}, and this device’s clock says ${date(now)}: ${cure}`;
}

/** The dates of the chain that a server shows, its own certificate first. Empty where it cannot be read; never rejects. */
export async function readCertificateDates(
  way: CertificateWay,
): Promise<readonly CertificateDates[]> {
  try {
    return chainDates((await showCertificate(way)).own);
  } catch {
    return [];
  }
}

/** The dates of a chain, the peer’s own certificate first. */
export function chainDates(own: DetailedPeerCertificate): CertificateDates[] {
  const chain: CertificateDates[] = [];
  let certificate: DetailedPeerCertificate | undefined = own;
  while (certificate?.valid_from !== undefined && chain.length < longestChain) {
    chain.push(datesIn(certificate));
    // A root names itself as its issuer.
    const issuer: DetailedPeerCertificate | undefined = certificate.issuerCertificate;
    certificate = issuer === certificate ? undefined : issuer;
  }
  return chain.filter(({ notBeforeMs, notAfterMs }) => !Number.isNaN(notBeforeMs + notAfterMs));
}

function ownerOf(found: CertificateDates | undefined, index: number): string {
  // It may be the proxy's own.
  if (found === undefined) return 'a certificate on the way to it';
  return index > 0 ? `the certificate of its issuer ${found.name}` : 'its certificate';
}

function datesIn({ subject, valid_from, valid_to }: DetailedPeerCertificate): CertificateDates {
  const { CN, O } = subject ?? {};
  const name = [CN ?? O].flat()[0];
  return {
    name: cleanRemark(name)?.slice(0, 64) ?? 'without a name',
    notBeforeMs: Date.parse(valid_from),
    notAfterMs: Date.parse(valid_to),
  };
}

function verdictOf(error: unknown): unknown {
  if (!(error instanceof Error)) return undefined;
  const code = 'code' in error ? error.code : undefined;
  return verdicts.has(code) ? code : verdictOf(error.cause);
}

function date(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
