import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../command.ts';
import { complaints, cruise, type Imports, sourceFiles } from './imports.ts';

/** A small tree that keeps every rule: package, file, what it imports. */
const clean: [file: string, ...imports: string[]][] = [
  ['shared/src/index.ts', './message.ts'],
  ['shared/src/message.ts'],
  ['shared/src/message.test.ts', 'vitest', './message.ts'],
  ['agent/src/main.ts', '@pullwire/shared', './link/reconnecting-socket.ts'],
  ['agent/src/link/reconnecting-socket.ts', 'reconnecting-websocket', 'ws'],
  ['agent/src/schedule/cron-timer.ts', 'node-cron'],
  ['agent/src/spool/spool-store.ts', './spool-file.ts'],
  ['agent/src/spool/spool-file.ts', 'node:sqlite'],
  ['cloud/src/main.ts', './relay.ts', './server/serve.ts'],
  ['cloud/src/relay.ts', './registry/dynamo-registry.ts', './pull/pull.ts'],
  ['cloud/src/pull/pull.ts', '../registry/registry.ts', '@pullwire/shared'],
  ['cloud/src/registry/registry.ts'],
  ['cloud/src/registry/dynamo-registry.ts', './registry.ts', '@aws-sdk/client-dynamodb'],
  ['cloud/src/server/serve.ts', 'node:http', 'ws', '../pull/pull.ts'],
  ['agent/src/doctor/check.ts'],
  ['demo/src/main.ts'],
  ['bench/src/main.ts'],
  ['test/src/tool.ts', 'vitest'],
  ['scripts/check.ts'],
  ['agent/src/health/agent-health.ts'],
];

/** A file that breaks a rule, and the rule that has to catch it. */
const planted: [rule: string, file: string, imported: string][] = [
  ['shared-imports-nothing-of-ours', 'shared/src/a.ts', '../../agent/src/main.ts'],
  ['agent-imports-only-shared', 'agent/src/a.ts', '../../cloud/src/pull/pull.ts'],
  ['agent-imports-only-shared', 'agent/src/b.test.ts', '../../test/src/tool.ts'],
  ['cloud-imports-only-shared', 'cloud/src/a.ts', '../../agent/src/main.ts'],
  ['use-cases-know-no-host', 'cloud/src/session/a.ts', '../server/serve.ts'],
  ['use-cases-know-no-host', 'cloud/src/reply/a.ts', '../relay.ts'],
  ['use-cases-know-no-adapter', 'cloud/src/pull/a.ts', '../registry/dynamo-registry.ts'],
  ['use-cases-know-no-transport', 'cloud/src/http/a.ts', 'node:http'],
  ['use-cases-know-no-transport', 'cloud/src/connection/a.ts', 'ws'],
  ['use-cases-know-no-transport', 'cloud/src/auth/a.ts', '@aws-sdk/client-dynamodb'],
  ['only-roots-know-adapters', 'cloud/src/b.ts', './registry/dynamo-registry.ts'],
  ['links-and-sources-know-no-service', 'agent/src/link/b.ts', '../health/agent-health.ts'],
  ['one-guard-for-reconnecting-websocket', 'agent/src/link/a.ts', 'reconnecting-websocket'],
  ['doctor-is-run-by-its-command', 'agent/src/link/b.ts', '../doctor/check.ts'],
  ['one-timer-by-node-cron', 'agent/src/schedule/a.ts', 'node-cron'],
  ['the-spool-has-a-thread-of-its-own', 'agent/src/d.ts', './spool/spool-store.ts'],
  ['the-spool-knows-no-link', 'agent/src/spool/a.ts', '../link/reconnecting-socket.ts'],
  ['nothing-imports-a-test', 'shared/src/b.ts', './message.test.ts'],
  ['programs-leave-test-tools-alone', 'agent/src/c.ts', 'vitest'],
  ['every-import-resolves', 'cloud/src/c.ts', './nowhere.ts'],
  ['no-cycles', 'agent/src/ring-a.ts', './ring-b.ts'],
];

/** Closes the planted ring; a cycle is reported once, at its first file by name. */
const ringEnd: [file: string, imported: string] = ['agent/src/ring-b.ts', './ring-a.ts'];

const trees: string[] = [];

async function plant(files: [file: string, ...imports: string[]][]): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'pullwire-imports-'));
  trees.push(root);
  await mkdir(join(root, 'node_modules/@pullwire'), { recursive: true });
  for (const name of ['vitest', 'ws', 'reconnecting-websocket', 'node-cron', '@aws-sdk']) {
    await symlink(join(ROOT, 'node_modules', name), join(root, 'node_modules', name));
  }
  await symlink(join(root, 'shared'), join(root, 'node_modules/@pullwire/shared'));
  for (const [file, ...imports] of files) {
    await mkdir(dirname(join(root, file)), { recursive: true });
    // A type-only import counts too: half of them are, the first of each file is not.
    const lines = imports.map(
      (from, at) => `import ${at ? 'type ' : ''}* as i${at} from '${from}';`,
    );
    await writeFile(join(root, file), `${lines.join('\n')}\nexport const made = 1;\n`);
  }
  const manifest = { name: '@pullwire/shared', type: 'module', exports: './src/index.ts' };
  await writeFile(join(root, 'shared/package.json'), JSON.stringify(manifest));
  return root;
}

afterAll(() => Promise.all(trees.map((root) => rm(root, { recursive: true, force: true }))));

describe('the import rules', () => {
  let imports: Imports;
  beforeAll(async () => {
    const violations = planted.map(([, file, imported]): [string, string] => [file, imported]);
    imports = await cruise(await plant([...clean, ...violations, ringEnd]));
  });

  it('pass on a tree that keeps them, and every file of it is read', async () => {
    const root = await plant(clean);
    const [found, files] = await Promise.all([cruise(root), sourceFiles(root)]);
    expect(files).toHaveLength(clean.length);
    expect(complaints(found, files, clean.length)).toEqual([]);
  });

  it.each(planted)('%s catches %s importing %s', (rule, from) => {
    expect(imports.violations).toContainEqual(expect.objectContaining({ rule, from }));
  });

  it('catch nothing but what was planted', () => {
    const files = new Set(planted.map(([, file]) => file));
    expect(imports.violations.filter(({ from }) => !files.has(from))).toEqual([]);
  });

  it('are each seen to fail', () => {
    const seen = new Set(planted.map(([rule]) => rule));
    expect(imports.rules.filter((rule) => !seen.has(rule))).toEqual([]);
  });
});

describe('a tool that reads nothing', () => {
  const blind: Imports = { violations: [], rules: [], read: new Set(), followed: 0 };

  it('fails the check, though it finds no violation', () => {
    expect(complaints(blind, ['shared/src/index.ts'], 5)).toEqual([
      'dependency-cruiser did not read shared/src/index.ts',
      'dependency-cruiser read only 0 files, under 5',
      'dependency-cruiser read only 0 imports, under 5',
    ]);
  });
});
