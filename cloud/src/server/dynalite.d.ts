/** What we use of dynalite 4, which brings no types. */
declare module 'dynalite' {
  import type { Server } from 'node:http';

  interface DynaliteOptions {
    /** Folder of the LevelDB store. */
    readonly path: string;
    /** Milliseconds that a new table stays in CREATING. */
    readonly createTableMs: number;
  }

  /** A server that closes the store when it is closed. */
  function dynalite(options: DynaliteOptions): Server;
  export = dynalite;
}
