import type { LinkEnd } from '../link/redial-policy.ts';

/** How the relay answered a handshake with the device's own token. */
export interface Handshake {
  /** 101, or what stood in its place. */
  readonly answer: 'open' | LinkEnd;
  /** The other side's own words. */
  readonly remark: string | undefined;
  /** The relay's name and version, by its word. */
  readonly relay: string | undefined;
  /** From the request to its answer, in milliseconds. */
  readonly answeredAfterMs: number | undefined;
  /** `next`: the relay takes the key that was offered to it last. */
  readonly signedBy: 'key' | 'next-key' | 'issuer';
  /** Milliseconds of a ping and its pong. Only where the answer was 101. */
  ping(): Promise<number>;
  close(): Promise<void>;
}
