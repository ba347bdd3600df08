import { expect, it } from 'vitest';
import { cpuSecondsOf, residentBytesOf, treeOf, withDescendants } from './process-tree.ts';

it('a tree is the roots with children and grandchildren, and nobody else', () => {
  const stats = [
    { pid: 1, parentPid: 0 },
    { pid: 30, parentPid: 20 },
    { pid: 20, parentPid: 10 },
    { pid: 10, parentPid: 1 },
    { pid: 11, parentPid: 1 },
    { pid: 40, parentPid: 11 },
  ];
  expect(withDescendants([10], stats)).toEqual([10, 20, 30]);
  expect(withDescendants([11, 20], stats)).toEqual([11, 20, 40, 30]);
});

it('the kernel accounts for this process', () => {
  expect(treeOf([process.pid])[0]).toBe(process.pid);
  expect(residentBytesOf([process.pid])).toBeGreaterThan(10_000_000);
  expect(cpuSecondsOf([process.pid])).toBeGreaterThan(0);
});

it('a process that has ended counts for nothing', () => {
  const nobody = 2 ** 22; // one above the highest possible id (proc_sys_kernel(5), pid_max)
  expect(cpuSecondsOf([nobody])).toBe(0);
  expect(residentBytesOf([nobody])).toBe(0);
});
