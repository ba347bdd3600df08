import { ClassicLevel } from 'classic-level';

/** What dynalite ends a read with; abstract-level 3 has `close` only. */
interface Ending {
  return?(): Promise<void>;
  close(): Promise<void>;
}

/**
 * dynalite 4.0.0 ends each query, scan and list by calling `return` on the iterator, where it has one; since abstract-level 3
 * it has none, so that each stays open: a kilobyte, and files that LevelDB may not delete, for as long as the engine runs.
 * To be called before dynalite is.
 */
export function closeIteratorsAtEnd(): void {
  const { prototype } = ClassicLevel;
  prototype.keys = ending(prototype.keys);
  prototype.values = ending(prototype.values);
}

function ending<F extends (...args: never[]) => Ending>(open: F): F {
  return function (this: unknown, ...args: Parameters<F>) {
    const iterator = open.apply(this, args);
    iterator.return ??= () => iterator.close();
    return iterator;
  } as F;
}
