import { expect, it } from 'vitest';
import { Cork } from './cork.ts';

/** Counts what reaches the system: a batch is what was written between cork and uncork. */
class Socket {
  readonly batches: number[] = [];
  #corked = false;
  #written = 0;

  cork(): void {
    expect(this.#corked).toBe(false);
    this.#corked = true;
  }

  uncork(): void {
    expect(this.#corked).toBe(true);
    this.#corked = false;
    this.batches.push(this.#written);
    this.#written = 0;
  }

  write(): void {
    expect(this.#corked).toBe(true);
    this.#written += 1;
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

it('what is written in one turn leaves together, at most 8 messages at once', async () => {
  const socket = new Socket();
  const cork = new Cork(socket);
  const write = (count: number) => {
    for (let i = 0; i < count; i += 1) {
      cork.hold();
      socket.write();
    }
  };
  write(3);
  expect(socket.batches).toEqual([]);
  await turn();
  expect(socket.batches).toEqual([3]);
  write(8);
  await turn();
  expect(socket.batches).toEqual([3, 8]);
  write(18);
  expect(socket.batches).toEqual([3, 8, 8, 8]);
  await turn();
  expect(socket.batches).toEqual([3, 8, 8, 8, 2]);
});
