import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const run = promisify(execFile);

/** The agent as it ships. */
export const agentProgram = `${root}agent/dist/pullwire-agent.mjs`;
/** The functions as they ship, a zip each. */
export const zipFolder = `${root}cloud/dist/lambda`;

/** Builds both from what lies in this repository, so that no test meets what was built some time ago. */
export async function buildPrograms(): Promise<void> {
  for (const name of ['agent', 'cloud']) {
    await run(process.execPath, [`${root}scripts/bundle.ts`, name], { cwd: root });
  }
}
