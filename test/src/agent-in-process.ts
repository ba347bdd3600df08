import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, systemClock } from '@pullwire/shared';
import { logTo } from '@pullwire/shared/process-log';
import { type Agent, createAgent } from '../../agent/src/agent.ts';
import { loadConfig } from '../../agent/src/config/load-config.ts';

/** An agent of the shipped code in the test's own process: where a fleet is wanted, and memory is not. */
export function agentInProcess(
  folder: string,
  config: { readonly device: string } & Record<string, unknown>,
  clock: Clock = systemClock,
  random: () => number = Math.random,
): Agent {
  const file = join(folder, `${config.device}.json`);
  writeFileSync(file, JSON.stringify(config));
  return createAgent(loadConfig({ file, env: {}, flags: {}, workingFolder: folder }), {
    clock,
    random,
    newId: randomUUID,
    env: {},
    readFile: (path) => readFileSync(path),
    logger: logTo({ write: () => undefined }, 'silent'),
    onFinal: ({ reason }) => {
      throw new Error(`the relay refused ${config.device} for good: ${reason}`);
    },
  });
}
