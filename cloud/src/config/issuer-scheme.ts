import { isLoopback } from './loopback.ts';

/** Whether an issuer's documents may be asked for there: by https, by http only where it is this machine. */
export function isIssuerScheme({ protocol, hostname }: URL): boolean {
  if (protocol === 'https:') return true;
  return protocol === 'http:' && isLoopback(hostname.replace(/^\[|\]$/g, ''));
}
