import { CloudWorld } from './cloud-world.ts';
import type { Program } from './program.ts';
import type { readingHosts } from './reading-stage.ts';
import { World } from './world.ts';

/** A relay, and a device whose real agent has schedules. */
export interface CollectingHost {
  readonly device: string;
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Response>;
  readonly agent: Program;
  stop(): Promise<void>;
}

type Part = Readonly<Record<string, unknown>>;

export function startCollectingHost(
  name: (typeof readingHosts)[number],
  sources: Part,
  schedules: Part,
): Promise<CollectingHost> {
  return name === 'one box' ? onOneBox(sources, schedules) : onGateway(sources, schedules);
}

async function onOneBox(sources: Part, schedules: Part): Promise<CollectingHost> {
  const world = await World.start({ sources, agent: { schedules } });
  return {
    device: world.device,
    get: getterOf(world.url, world.callerKey),
    agent: world.agent,
    stop: () => world.stop(),
  };
}

/** Its messages are shuffled, delayed and doubled. */
async function onGateway(sources: Part, schedules: Part): Promise<CollectingHost> {
  const world = await CloudWorld.start({ sources: {}, agents: 0, seed: 7 });
  try {
    await world.startFurtherAgent('plant-1', sources, { schedules });
  } catch (error) {
    await world.stop();
    throw error;
  }
  return {
    device: 'plant-1',
    get: getterOf(world.url, world.callerKey),
    agent: world.agentOf('plant-1'),
    stop: () => world.stop(),
  };
}

function getterOf(url: string, key: string): CollectingHost['get'] {
  return (path, headers = {}) =>
    fetch(url + path, { headers: { 'Pullwire-Key': key, ...headers } });
}
