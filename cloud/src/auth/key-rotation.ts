import type { OfferedKey, Rotated, RotationRefusal } from '@pullwire/shared';
import type { Registry } from '../registry/registry.ts';
import { verifyKeyProof } from './key-proof.ts';

export interface KeyRotationOptions {
  readonly registry: Pick<Registry, 'deviceRecord' | 'offerKey'>;
}

/** What is known of the link that offers a key. */
export interface OfferingLink {
  readonly device: string;
  /** The key that opened it, `ed25519:…`; undefined: by an issuer's token, and no key follows that. */
  readonly publicKey: string | undefined;
  /** Another instance of the device has a link: it shares the key, and would lose it. */
  readonly hasOthers: boolean;
}

/** Takes the next key of a device over its link (PROTOCOL.md, "Features": `rotate`). */
export class KeyRotation {
  readonly #registry: KeyRotationOptions['registry'];

  constructor({ registry }: KeyRotationOptions) {
    this.#registry = registry;
  }

  /** The answer to an agent's `rotate`; the same for the same key again. Rejects with `RegistryError`. */
  async offer(link: OfferingLink, { publicKey, proof }: OfferedKey): Promise<Rotated> {
    const refused = await this.#refusal(link, publicKey, proof);
    return { action: 'rotated', publicKey, ...(refused === undefined ? undefined : { refused }) };
  }

  async #refusal(
    { device, publicKey: linkKey, hasOthers }: OfferingLink,
    publicKey: string,
    proof: string,
  ): Promise<RotationRefusal | undefined> {
    if (!(await verifyKeyProof(proof, publicKey, `rotate:${device}`))) return 'no-proof';
    const record = await this.#registry.deviceRecord(device);
    if (record === undefined || linkKey === undefined) return 'superseded';
    if (record.publicKey === publicKey || record.nextKey === publicKey) return undefined;
    if (record.publicKey !== linkKey) return 'superseded';
    if (hasOthers) return 'other-instances';
    return (await this.#registry.offerKey(device, linkKey, publicKey)) ? undefined : 'superseded';
  }
}
