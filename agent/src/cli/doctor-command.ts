import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { systemClock } from '@pullwire/shared';
import type { AgentConfig } from '../config/agent-config.ts';
import { checks } from '../doctor/checks.ts';
import { Patient } from '../doctor/patient.ts';
import { jsonOf, tableOf } from '../doctor/report.ts';
import { exitCodeOf, runChecks } from '../doctor/run-checks.ts';
import type { CliHost } from './cli-host.ts';

/** Looks at everything that a link and a pull rest on. Resolves with the exit code: 0, 1 for warnings, 2 for failures. */
export async function doctor(
  loadConfig: () => AgentConfig,
  asJson: boolean,
  host: CliHost,
): Promise<number> {
  const patient = new Patient({
    clock: systemClock,
    env: host.env,
    readFile: readFileSync,
    newId: randomUUID,
    userId: process.geteuid?.(),
    loadConfig,
  });
  try {
    const lines = await runChecks(checks, patient);
    host.writeOut(asJson ? jsonOf(lines) : tableOf(lines));
    return exitCodeOf(lines);
  } finally {
    await patient.close();
  }
}
