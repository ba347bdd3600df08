import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DynamoRegistry } from '../../cloud/src/registry/dynamo-registry.ts';
import type { Registry } from '../../cloud/src/registry/registry.ts';
import { dataFolder } from '../../cloud/src/server/data-folder.ts';
import { createEngineClient } from '../../cloud/src/server/engine-client.ts';
import type { AttackKeys } from './attack-token.ts';
import { CloudWorld } from './cloud-world.ts';
import { World } from './world.ts';

/** A host under attack: a real agent `plant-7`, the registry as an operator reaches it, and everything that is logged. */
export interface AttackHost {
  readonly url: string;
  readonly linkUrl: string;
  readonly registry: Registry;
  /** Whether each attacker has an address of its own (`X-Forwarded-For`): failures are counted by address. */
  readonly byAddress: boolean;
  /** Resolves when nothing that was sent is on its way any more. */
  settled(): Promise<void>;
  readonly logs: string;
  stop(): Promise<void>;
}

export const attackHosts = ['one box', 'strict gateway'] as const;

/** `issuers`: as the relay's configuration has them. */
export async function startAttackHost(
  name: (typeof attackHosts)[number],
  parts: {
    sources: Readonly<Record<string, unknown>>;
    issuers: readonly object[];
    keys: AttackKeys;
  },
): Promise<AttackHost> {
  return name === 'one box' ? startOneBox(parts) : startGateway(parts);
}

type Parts = Parameters<typeof startAttackHost>[1];

async function startOneBox({ sources, issuers, keys }: Parts): Promise<AttackHost> {
  const world = await World.start({
    sources,
    relayArgs: ['--trusted-proxy', '127.0.0.1', '--log-level', 'debug'],
    relayConfig: { issuers },
  });
  keys.add('plant-7', createPrivateKey(readFileSync(join(world.folder, 'device.key'))));
  const client = createEngineClient(dataFolder(world.dataFolder).serverSocket);
  return {
    url: world.url,
    linkUrl: world.linkUrl,
    registry: new DynamoRegistry({ client, name: 'pullwire', mayCreateTable: false }),
    byAddress: true,
    settled: async () => undefined,
    get logs() {
      return world.logs;
    },
    stop: async () => {
      client.destroy();
      await world.stop();
    },
  };
}

async function startGateway({ sources, issuers, keys }: Parts): Promise<AttackHost> {
  const world = await CloudWorld.start({ sources, issuers, agents: 0 });
  await world.startFurtherAgent('plant-7', sources);
  keys.add('plant-7', createPrivateKey(readFileSync(join(world.folder, 'plant-7.key'))));
  return {
    url: world.aws.url,
    linkUrl: world.aws.linkUrl,
    registry: world.aws.registry,
    byAddress: false,
    settled: () => world.aws.gateway.settled(),
    get logs() {
      return JSON.stringify(world.aws.log) + world.agentLogs;
    },
    stop: () => world.stop(),
  };
}
