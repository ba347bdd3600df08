/** Why a handshake is not answered 101. */
export class HandshakeRefusal extends Error {
  readonly status: number;
  /** What else of `$connect`'s refusal the client sees. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;

  constructor(
    status: number,
    message: string,
    headers: Readonly<Record<string, string>> = {},
    body?: string,
  ) {
    super(message);
    this.name = 'HandshakeRefusal';
    this.status = status;
    this.headers = headers;
    this.body = body;
  }
}
