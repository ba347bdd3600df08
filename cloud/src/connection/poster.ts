/**
 * Sends to sockets that a gateway holds, by connection id (AWS.md, "@connections"). Every call is one attempt:
 * a repeated post would be a repeated message.
 */
export interface Poster {
  /** Resolves when the gateway has taken the text for that socket. Rejects with `PostError`. */
  post(connectionId: string, text: string): Promise<void>;
  /** Closes the socket; one that is gone already is no error. Rejects with `PostError` `failed`. */
  disconnect(connectionId: string): Promise<void>;
}

/**
 * `gone`: there is no such connection (410, or 400 for an id that none could have). `full`: the client's buffer, or
 * the account's rate (429). `too-large`: over 128 KB (413). `failed`: anything else, the network included.
 */
export type PostErrorCode = 'gone' | 'full' | 'too-large' | 'failed';

export class PostError extends Error {
  readonly code: PostErrorCode;

  constructor(code: PostErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'PostError';
    this.code = code;
  }
}
