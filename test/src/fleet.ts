import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Agent } from '../../agent/src/agent.ts';
import {
  generateDeviceKey,
  publicKeyText,
  writeDeviceKey,
} from '../../agent/src/identity/device-key.ts';
import type { AwsWorld } from '../../cloud/test/aws/aws-world.ts';
import { agentInProcess } from './agent-in-process.ts';

/** Agents `plant-1`… in the test's own process, at the strict gateway. */
export class Fleet {
  readonly #folder = mkdtempSync(join(tmpdir(), 'pullwire-fleet-'));
  readonly #agents: Agent[] = [];

  /** Resolves when `size` agents more have their links open. */
  async grow(aws: AwsWorld, size: number, sources: Record<string, unknown>): Promise<void> {
    for (let more = 0; more < size; more += 1) {
      const device = `plant-${this.#agents.length + 1}`;
      const keyFile = join(this.#folder, `${device}.key`);
      const deviceKey = await generateDeviceKey();
      await writeDeviceKey(keyFile, deviceKey);
      await aws.addDevice(device, publicKeyText(deviceKey));
      const agent = agentInProcess(this.#folder, { relay: aws.linkUrl, device, keyFile, sources });
      this.#agents.push(agent);
      await agent.start();
    }
    await aws.logged('link open', this.#agents.length);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#agents.map((agent) => agent.stop()));
    rmSync(this.#folder, { recursive: true });
  }
}
