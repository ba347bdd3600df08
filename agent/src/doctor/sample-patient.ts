import { readFileSync } from 'node:fs';
import { type Clock, systemClock } from '@pullwire/shared';
import type { AgentConfig } from '../config/agent-config.ts';
import { loadConfig } from '../config/load-config.ts';
import type { Environment } from '../link/proxy.ts';
import { Patient } from './patient.ts';

interface Sample {
  readonly env?: Environment;
  readonly clock?: Clock;
}

/** A patient with a configuration file that is there, and nothing read of it yet: for tests. */
export function patientWith(
  configFile: string,
  { env = {}, clock = systemClock }: Sample = {},
): Patient {
  const origins = { file: configFile, env: {}, flags: {}, workingFolder: '/' };
  return new Patient({
    clock,
    env,
    readFile: readFileSync,
    newId: () => '0123456789abcdef',
    userId: process.geteuid?.(),
    loadConfig: (): AgentConfig => loadConfig(origins),
  });
}
