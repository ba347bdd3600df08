import { existsSync } from 'node:fs';
import { cp, glob, mkdtemp, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { ROOT, runCommand } from '../command.ts';
import type { Check } from './check.ts';

const MODULE = join(ROOT, 'terraform');

/** Runs fmt, validate and mocked tests without a registry; it stands beside a checkout, or nowhere. */
const OFFLINE_CHECK = join(ROOT, '../shared/terraform-check/check');

/** The module without its secret, which mocked tests run: links, so that they test what is deployed. */
const MIRROR = 'tests/relay';

export const terraformCheck: Check = {
  name: 'terraform',
  advice:
    'what Terraform or the module says stands below; see terraform/README.md, "Working on it"',
  missing: () =>
    hasTerraform()
      ? undefined
      : 'terraform is not in PATH: developer.hashicorp.com/terraform/install',
  async run() {
    const found = [...(await mirrorComplaints(MODULE)), ...(await secretComplaints(MODULE))];
    return found.length > 0 ? found.join('\n') : await runTerraform(MODULE);
  },
};

export function hasTerraform(): boolean {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.some((folder) => existsSync(join(folder, 'terraform')));
}

/**
 * Formatting, validity and mocked tests of a module, and the validity of the examples below it. Returns what Terraform
 * said where it failed. Without the offline check it asks the registry for the provider.
 */
export async function runTerraform(module: string): Promise<string> {
  const examples = (await files(module, 'examples/*/main.tf')).map((file) => dirname(file));
  if (existsSync(OFFLINE_CHECK)) {
    return complaint([OFFLINE_CHECK, module, ...examples.map((folder) => join(module, folder))]);
  }
  const copy = await mkdtemp(join(tmpdir(), 'pullwire-terraform-'));
  try {
    // A copy, so that neither providers nor lock files are left in the tree.
    await cp(module, copy, { recursive: true, verbatimSymlinks: true });
    return await runWithRegistry(copy, examples);
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

async function runWithRegistry(module: string, examples: readonly string[]): Promise<string> {
  const steps: [folder: string, ...args: string[]][] = [
    ['.', 'fmt', '-check', '-diff', '-recursive'],
    ...['.', ...examples].flatMap((folder): [string, ...string[]][] => [
      [folder, 'init', '-backend=false', '-input=false', '-no-color'],
      [folder, 'validate', '-no-color'],
    ]),
    ['.', 'test', '-no-color'],
  ];
  for (const [folder, ...args] of steps) {
    const said = await complaint(['terraform', `-chdir=${join(module, folder)}`, ...args]);
    if (said !== '') return said;
  }
  return '';
}

async function complaint(argv: readonly [string, ...string[]]): Promise<string> {
  const { code, output } = await runCommand(argv, { output: 'collect' });
  return code === 0 ? '' : output || `${argv[0]} exited with ${code}`;
}

/** What mocked tests would not see of the module, a line each. */
export async function mirrorComplaints(module: string): Promise<string[]> {
  const names = await files(module, '*.{tf,json}');
  const lines = names.map(async (name) => {
    const target = await readlink(join(module, MIRROR, name)).catch(() => 'nothing');
    return target === `../../${name}` ? [] : [`${MIRROR}/${name} has to link to ../../${name}`];
  });
  return (await Promise.all(lines)).flat();
}

/** What would bring the secret into the state, a line each. */
export async function secretComplaints(module: string): Promise<string[]> {
  const folder = 'modules/secret';
  const names = await files(module, `${folder}/*.tf`);
  const text = (await Promise.all(names.map((name) => readFile(join(module, name), 'utf8')))).join(
    '\n',
  );
  const lines: string[] = [];
  if (!/^\s*value_wo\s*=\s*ephemeral\./m.test(text)) {
    lines.push(`${folder} does not write an ephemeral value by a write-only argument`);
  }
  if (/^resource "aws_ssm_parameter".*\n(?: {2}.*\n|\n)*? {2}(insecure_)?value\s*=/m.test(text)) {
    lines.push(`${folder} writes a value that stands in the state`);
  }
  if (/^(resource|data) "random_|^data "aws_secretsmanager_/m.test(text)) {
    lines.push(`${folder} makes its secret where it stands in the state`);
  }
  return lines;
}

async function files(folder: string, pattern: string): Promise<string[]> {
  const found: string[] = [];
  for await (const file of glob(pattern, { cwd: folder })) found.push(file);
  return found.sort();
}
