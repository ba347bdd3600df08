/** What the engine's thread is given at its start. */
export interface EngineOrders {
  /** Folder of the database. */
  readonly path: string;
  readonly socketPath: string;
  /** What the server's own client sends as `x-pullwire-writer`. */
  readonly ownWriter: string;
}

/** Engine → server. */
export type EngineMessage =
  | { readonly kind: 'listening' }
  /** It reads on, and writes nothing until it has been started anew. */
  | { readonly kind: 'unwritable'; readonly why: string }
  /** Another process wrote; its answer waits for `seen`, so that no cache outlives it. */
  | { readonly kind: 'foreign-write'; readonly id: number; readonly partitions: Partitions };

/** The partitions that a write changes; undefined: any. */
export type Partitions = readonly string[] | undefined;

/** Server → engine. */
export type ServerMessage =
  | { readonly kind: 'seen'; readonly id: number }
  | { readonly kind: 'stop' };
