import type { Page } from './registry.ts';

/** Reads page after page, each when it is asked for. */
export async function* eachItem<T>(read: (after?: string) => Promise<Page<T>>): AsyncGenerator<T> {
  let after: string | undefined;
  do {
    const page = await read(after);
    yield* page.items;
    after = page.next;
  } while (after !== undefined);
}
