import type {
  SpoolBounds,
  SpoolChange,
  SpoolCommit,
  SpoolMark,
  SpoolReadLimit,
  SpoolRow,
} from './spool-reading.ts';
import type { SpoolTrouble } from './spool-trouble.ts';

/** What the thread is started with. */
export interface SpoolOrders {
  readonly path: string;
  readonly bounds: SpoolBounds;
}

export type SpoolWork =
  | { readonly kind: 'open'; readonly now: number }
  | { readonly kind: 'commit'; readonly change: SpoolChange }
  | {
      readonly kind: 'read';
      readonly after: number;
      readonly limit: SpoolReadLimit;
      readonly now: number;
    }
  | { readonly kind: 'close' };

export interface SpoolState extends Pick<SpoolCommit, 'depth' | 'bytes' | 'oldestAt'> {
  readonly marks: readonly SpoolMark[];
}

/** What each kind of work answers. */
export interface SpoolResults {
  readonly open: SpoolState;
  readonly commit: SpoolCommit;
  readonly read: readonly SpoolRow[];
  readonly close: undefined;
}

export interface SpoolRequest {
  readonly id: number;
  readonly work: SpoolWork;
}

export type SpoolAnswer =
  | { readonly id: number; readonly result: SpoolResults[SpoolWork['kind']] }
  | { readonly id: number; readonly trouble: SpoolTrouble }
  | { readonly damaged: SpoolTrouble; readonly movedTo: string };
