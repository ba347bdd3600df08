/** Why a credential was refused. */
export type AuthErrorCode =
  // An agent's token (PROTOCOL.md, "Handshake")
  | 'token-missing'
  | 'token-malformed'
  /** Signed by something other than Ed25519, or not signed. */
  | 'algorithm-refused'
  | 'device-unknown'
  | 'signature-wrong'
  /** Made for another relay. */
  | 'audience-wrong'
  | 'token-expired'
  | 'token-not-yet-valid'
  | 'lifetime-too-long'
  /** It opened a link before, or was made before this relay started and could have. */
  | 'token-replayed'
  | 'device-revoked'
  // A caller's key
  | 'key-missing'
  | 'key-malformed'
  | 'key-unknown'
  | 'key-revoked'
  | 'key-expired';

/** A credential was refused. The message is for logs: it says why, and never holds the credential. */
export class AuthError extends Error {
  override readonly name = 'AuthError';
  readonly code: AuthErrorCode;

  constructor(code: AuthErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
