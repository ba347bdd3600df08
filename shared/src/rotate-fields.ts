import type { Draft } from './envelope.ts';
import { checkCode, checkPattern, checkText, type Fields } from './field.ts';
import type { OfferedKey, Rotated } from './message.ts';

/** Base64url of 32 bytes has 43 characters, of which the last one carries 4 bits. */
const publicKeyPattern = /^ed25519:[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;

/** A proof has a few hundred characters. */
const proofLimit = 2_048;

export function readOfferedKey(fields: Fields): OfferedKey {
  return {
    action: 'rotate',
    publicKey: checkPattern(fields.publicKey, 'publicKey', publicKeyPattern),
    proof: checkText(fields.proof, 'proof', proofLimit),
  };
}

/** An unknown `refused` passes: it is a refusal all the same. */
export function readRotated(fields: Fields): Rotated {
  const rotated: Draft<Rotated> = {
    action: 'rotated',
    publicKey: checkPattern(fields.publicKey, 'publicKey', publicKeyPattern),
  };
  if (fields.refused !== undefined) rotated.refused = checkCode(fields.refused);
  return rotated;
}
