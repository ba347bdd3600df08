import { expect, it } from 'vitest';
import { Cleanup } from './cleanup.ts';

it('undoes the newest first, and goes on after a step that fails', async () => {
  const undone: string[] = [];
  const cleanup = new Cleanup();
  cleanup.add(() => void undone.push('folder'));
  cleanup.add(() => {
    throw new Error('planted');
  });
  cleanup.add(async () => void undone.push('process'));
  await expect(cleanup.run()).rejects.toThrow('not everything could be undone');
  expect(undone).toEqual(['process', 'folder']);
});

it('undoes each step once', async () => {
  let times = 0;
  const cleanup = new Cleanup();
  cleanup.add(() => {
    times += 1;
  });
  await cleanup.run();
  await cleanup.run();
  expect(times).toBe(1);
});
