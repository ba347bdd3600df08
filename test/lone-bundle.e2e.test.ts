import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { programs } from './src/program.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pullwire-lone-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("the agent's bundle needs no file beside it", () => {
  const lone = join(folder, 'agent.mjs');
  copyFileSync(programs.agent, lone);
  const sources = `web: { kind: http, url: 'https://127.0.0.1:1', allow: [{ paths: ['/**'] }] }`;
  writeFileSync(
    join(folder, 'agent.yaml'),
    `relay: wss://127.0.0.1:1\ndevice: plant-7\nsources:\n  ${sources}\n`,
  );
  const run = (...args: string[]): string =>
    execFileSync(process.execPath, [lone, ...args], { cwd: folder, encoding: 'utf8' });
  expect(run('keygen')).toMatch(/^ed25519:/);
  expect(run('check', '--config', 'agent.yaml')).toContain('The configuration is valid.');
  expect(run('token', '--config', 'agent.yaml').split('.')).toHaveLength(3);
});
