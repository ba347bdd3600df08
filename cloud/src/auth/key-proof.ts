import { compactVerify } from 'jose';
import { parseDeviceKey } from './device-key.ts';

/** A proof has a few hundred characters; more is not one. */
const proofLimit = 2_048;

/**
 * Whether whoever made this holds the private half of `publicKey` (`ed25519:…`), and meant it for this purpose: a JWS by
 * that very key (PROTOCOL.md, "Proof of a key"). Its type keeps it apart from a handshake token. Never throws.
 */
export async function verifyKeyProof(
  proof: string,
  publicKey: string,
  purpose: string,
): Promise<boolean> {
  const known = parseDeviceKey(publicKey);
  if (known === undefined || proof.length > proofLimit) return false;
  try {
    const { payload, protectedHeader } = await compactVerify(proof, known.key, {
      algorithms: ['EdDSA'],
    });
    if (protectedHeader.typ !== 'pullwire-key+jwt') return false;
    const said = JSON.parse(new TextDecoder().decode(payload)) as unknown;
    return says(said, 'key', publicKey) && says(said, 'for', purpose);
  } catch {
    return false; // whatever is wrong with it: it proves nothing
  }
}

function says(said: unknown, name: string, wanted: string): boolean {
  return (
    typeof said === 'object' &&
    said !== null &&
    Object.hasOwn(said, name) &&
    (said as Record<string, unknown>)[name] === wanted
  );
}
