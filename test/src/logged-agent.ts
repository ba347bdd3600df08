import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '@pullwire/shared';
import { logTo } from '@pullwire/shared/process-log';
import { type Agent, createAgent } from '../../agent/src/agent.ts';
import { loadConfig } from '../../agent/src/config/load-config.ts';
import {
  generateDeviceKey,
  publicKeyText,
  writeDeviceKey,
} from '../../agent/src/identity/device-key.ts';
import type { AwsWorld } from '../../cloud/test/aws/aws-world.ts';

/** An agent of the shipped code in the test's own process, that tells everything it logs. Resolves when it is linked. */
export async function linkLoggedAgent(
  aws: AwsWorld,
  folder: string,
  config: { readonly device: string; readonly sources: Record<string, unknown> },
  write: (line: string) => void,
): Promise<Agent> {
  const { device } = config;
  const keyFile = join(folder, `${device}.key`);
  const deviceKey = await generateDeviceKey();
  await writeDeviceKey(keyFile, deviceKey);
  await aws.addDevice(device, publicKeyText(deviceKey));
  const file = join(folder, `${device}.json`);
  writeFileSync(file, JSON.stringify({ ...config, relay: aws.linkUrl, keyFile }));
  const agent = createAgent(loadConfig({ file, env: {}, flags: {}, workingFolder: folder }), {
    clock: systemClock,
    random: Math.random,
    newId: randomUUID,
    env: {},
    readFile: (path) => readFileSync(path),
    logger: logTo({ write }, 'debug'),
    onFinal: ({ reason }) => {
      throw new Error(`the relay refused ${device} for good: ${reason}`);
    },
  });
  const open = aws.logged('link open', aws.log.filter(({ msg }) => msg === 'link open').length + 1);
  await agent.start();
  await open;
  return agent;
}
