import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Program } from './src/program.ts';
import { describeWith } from './src/tool.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pullwire-first-'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The one process that this one has started. */
function childOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
}

describeWith(['unshare'], 'an agent that is PID 1, as in a container', ({ unshare }) => {
  // To a PID 1 without a handler SIGTERM does nothing at all, so that a container would be killed after its grace.
  test.skipIf(process.getuid?.() !== 0)(
    '[as root] ends on SIGTERM while it waits to enrol',
    async () => {
      const config = join(folder, 'agent.json');
      // Nobody listens on port 1.
      const redial = { baseMs: 3_600_000, capMs: 3_600_000 };
      const keyFile = join(folder, 'identity', 'device.key');
      writeFileSync(
        config,
        JSON.stringify({ relay: 'ws://127.0.0.1:1', keyFile, redial, sources: {} }),
      );
      const within = [unshare, '--pid', '--fork', '--kill-child'];
      const env = { PULLWIRE_ENROLL_CODE: 'pwe_x' };
      const agent = new Program('agent', ['run', '--config', config], env, within);
      const { pid } = await agent.line('enrolment failed; it is tried again', 0);
      expect(pid).toBe(1);
      process.kill(childOf(agent.pid), 'SIGTERM');
      await agent.line('stopping', 0);
      expect(await agent.ended).toBe(0);
    },
  );
});
