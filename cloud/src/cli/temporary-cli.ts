import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@pullwire/shared';
import { runCli } from './run-cli.ts';

/** For tests: commands in a folder of their own, where no server runs, at one moment. */
export class TemporaryCli {
  readonly folder = mkdtempSync(join(tmpdir(), 'pw-'));
  now = 1_800_000_000_000;

  async run(args: string, env: Record<string, string> = {}) {
    let [stdout, stderr] = ['', ''];
    const code = await runCli(args === '' ? [] : args.split(' '), {
      out: (text) => {
        stdout += text;
      },
      note: (text) => {
        stderr += text;
      },
      env,
      workingFolder: this.folder,
      clock: { ...systemClock, wall: () => this.now },
      signals: () => {
        throw new Error('this command takes no signals');
      },
    });
    return { code, stdout, stderr };
  }

  /** What a list shows as JSON. */
  async list(command: 'device' | 'key' | 'enroll-code') {
    return JSON.parse((await this.run(`${command} list --json`)).stdout);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}
