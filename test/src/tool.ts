import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe } from 'vitest';

/** The programs outside npm that tests use, each with how to get it. `.ci/run` installs them. */
const TOOLS = {
  chromium: 'apt-get install chromium',
  curl: 'apt-get install curl',
  ip: 'apt-get install iproute2',
  mmdebstrap: 'apt-get install mmdebstrap',
  nginx: 'apt-get install nginx',
  'prometheus-node-exporter': 'apt-get install prometheus-node-exporter',
  promtool: 'apt-get install prometheus',
  python3: 'apt-get install python3',
  socat: 'apt-get install socat',
  terraform: 'see https://developer.hashicorp.com/terraform/install',
  unshare: 'apt-get install util-linux',
  wrk: 'apt-get install wrk',
} as const;

export type ToolName = keyof typeof TOOLS;

/** Where a program is, or why the tests that need it are skipped. */
export type Tool = { path: string } | { skip: string };

/** Debian keeps nginx and ip here; a user's PATH often leaves them out. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/**
 * Finds a program that a test needs, in PATH and in the system's own folders.
 *
 * @throws Error where it is missing and `env.CI` is `true`: CI runs every test.
 */
export function requireTool(name: ToolName, env: NodeJS.ProcessEnv = process.env): Tool {
  const folders = [...(env.PATH ?? '').split(delimiter), ...SYSTEM_FOLDERS];
  const path = folders.map((folder) => join(folder, name)).find(isExecutable);
  if (path !== undefined) return { path };
  const reason = `${name} is not installed: ${TOOLS[name]}`;
  if (env.CI === 'true') throw new Error(`${reason}; under CI=true no test may be skipped`);
  return { skip: reason };
}

/**
 * `describe` for tests that need programs: `body` gets their paths. Where one is missing, the
 * whole suite is skipped and its title says why.
 */
export function describeWith<Name extends ToolName>(
  names: readonly Name[],
  title: string,
  body: (paths: Record<Name, string>) => void,
): void {
  const paths = {} as Record<Name, string>;
  const reasons: string[] = [];
  for (const name of names) {
    const tool = requireTool(name);
    paths[name] = 'path' in tool ? tool.path : name;
    if ('skip' in tool) reasons.push(tool.skip);
  }
  const suite = reasons.length === 0 ? title : `${title} [skipped: ${reasons.join('; ')}]`;
  describe.skipIf(reasons.length > 0)(suite, () => body(paths));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
