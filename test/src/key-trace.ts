import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** A device's private key in every form in which it could leak: raw, hexadecimal, base64, base64url, DER, PEM. */
export function tracesOf(keyFile: string): Buffer[] {
  const pem = readFileSync(keyFile, 'utf8');
  const key = createPrivateKey(pem);
  const seed = Buffer.from(key.export({ format: 'jwk' }).d ?? '', 'base64url');
  if (seed.length !== 32) throw new Error(`${keyFile} is no Ed25519 key`);
  const der = key.export({ type: 'pkcs8', format: 'der' });
  const texts = [
    seed.toString('hex'),
    seed.toString('base64').replace(/=+$/, ''),
    seed.toString('base64url'),
    der.toString('base64').slice(-43),
    ...pem.split('\n').filter((line) => line.length > 20 && !line.startsWith('-')),
  ];
  return [seed, ...texts.map((text) => Buffer.from(text))];
}
