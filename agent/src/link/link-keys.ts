/** A device's next key, as it is offered to the relay. */
export interface NextKey {
  /** `ed25519:` and base64url of the 32 bytes. */
  readonly publicKey: string;
  /** PROTOCOL.md, "Proof of a key". */
  readonly proof: string;
}

/** What a link tells the device's keys, and asks of them; `KeyRing` is these. */
export interface LinkKeys {
  /** The relay did not take the token of the last dial, and its clock does not explain that. */
  refused(): void;
  /** The relay took the token of the last dial. Never rejects. */
  linked(): Promise<void>;
  /**
   * The key that shall follow, kept safe before this resolves.
   *
   * @throws KeyError where it cannot be kept.
   */
  next(device: string): Promise<NextKey>;
  /** The relay has noted this key: the next dial may be signed with it. */
  confirmed(publicKey: string): void;
}
