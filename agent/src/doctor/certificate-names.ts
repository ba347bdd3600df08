import { X509Certificate } from 'node:crypto';
import { type DetailedPeerCertificate, rootCertificates } from 'node:tls';
import { cleanRemark } from '../link/remark.ts';

/** A chain of a peer that is not trusted: no longer one is followed. */
const longestChain = 10;

type Name = DetailedPeerCertificate['subject'];

/** Whose a certificate is, or who issued it, by its own word. */
export function nameOf(name: Name | undefined): string {
  const { CN, O } = name ?? {};
  const parts = [...new Set([CN, O].flatMap((part) => [part].flat()[0] ?? []))];
  return cleanRemark(parts.join(', '))?.slice(0, 128) ?? 'without a name';
}

/** The last of the chain, as far as it is known. */
export function topOf(own: DetailedPeerCertificate): DetailedPeerCertificate {
  let top = own;
  for (let i = 0; i < longestChain; i += 1) {
    const above: DetailedPeerCertificate | undefined = top.issuerCertificate;
    if (above?.raw === undefined || above === top) break;
    top = above;
  }
  return top;
}

/** Whether it is one of the authorities that Node brings with it: others were added on this device. */
export function isPublicAuthority({ fingerprint256 }: DetailedPeerCertificate): boolean {
  return rootCertificates.some((pem) => new X509Certificate(pem).fingerprint256 === fingerprint256);
}
