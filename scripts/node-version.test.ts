import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const guard = fileURLToPath(new URL('./require-node.cjs', import.meta.url));
const major = (version: string) => Number(version.split('.')[0]);

it('test workers and what they start as `node` run on Node 24 or newer', () => {
  const started = execFileSync('node', ['-p', 'process.versions.node'], { encoding: 'utf8' });
  const hint = '`npm ci` did not bring Node 24; install it, see CONTRIBUTING.md';
  expect(major(process.versions.node), hint).toBeGreaterThanOrEqual(24);
  expect(major(started), hint).toBeGreaterThanOrEqual(24);
});

it('an older Node is told which version is needed and how to get it', () => {
  const asOldNode = `
    Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } });
    require(${JSON.stringify(guard)});`;
  const run = () => execFileSync('node', ['-e', asOldNode], { stdio: 'pipe', encoding: 'utf8' });
  expect(run).toThrow(/needs Node 24 or newer; this is Node 20\.20\.2.*npm ci/s);
});
