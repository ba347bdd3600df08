import { MinistackWorld } from '../../cloud/test/ministack/ministack-world.ts';
import { CloudWorld } from './cloud-world.ts';
import type { HostName } from './host-limit.ts';
import type { Program } from './program.ts';
import { World } from './world.ts';

/** A relay with one device and a caller who may do everything: what the shared suite needs of each host. */
export interface Host {
  readonly device: string;
  readonly callerKey: string;
  /** A request at the relay, as it is. */
  ask(path: string, init?: RequestInit): Promise<Response>;
  stopAgent(): Promise<void>;
  startAgent(): Promise<void>;
  /** To the agent's process. */
  signalAgent(name: NodeJS.Signals): void;
  /** A further instance of the device; resolves when its link is open. */
  startInstance(
    instance: string,
    sources: Sources,
    settings?: Readonly<Record<string, unknown>>,
  ): Promise<Program>;
  /** A further key, by the arguments of `key add`. */
  addKey(args: readonly string[]): Promise<string>;
  revokeKey(id: string): Promise<void>;
  /** Everything that was logged. */
  logs(): Promise<string>;
  stop(): Promise<void>;
}

type Sources = Readonly<Record<string, unknown>>;

export function startHost(name: HostName, sources: Sources): Promise<Host> {
  if (name === 'one box') return startOneBox(sources);
  return name === 'ministack' ? startMinistack(sources) : startGateway(name, sources);
}

async function startOneBox(sources: Sources): Promise<Host> {
  const world = await World.start({ sources });
  return {
    device: world.device,
    callerKey: world.callerKey,
    ask: (path, init) => fetch(world.url + path, init),
    stopAgent: async () => {
      await world.agent.stop();
    },
    startAgent: () => world.startAgent(),
    signalAgent: (name) => world.agent.signal(name),
    startInstance: (...instance) => world.startInstance(...instance),
    addKey: (args) => world.addKey(args),
    revokeKey: async (id) => {
      await world.operate(['key', 'revoke', id]);
    },
    logs: async () => world.logs,
    stop: () => world.stop(),
  };
}

/** Every switch of the gateway and of function URLs the other way round (AWS.md, `[?]`). */
const switched = {
  switches: {
    pingsResetIdle: true,
    contextAsText: false,
    refusalCarriesHeaders: true,
    splitsPosts: false,
    datesAcceptance: true,
  },
  urlSwitches: {
    midStreamThrow: 'break',
    stripsContentEncoding: false,
    remapsHeaders: false,
  },
} as const;

async function startGateway(name: HostName, sources: Sources): Promise<Host> {
  const more = name === 'strict gateway' ? {} : switched;
  const world = await CloudWorld.start({ ...more, sources });
  return {
    device: 'plant-1',
    callerKey: world.callerKey,
    ask: (path, init) => fetch(world.aws.url + path, init),
    stopAgent: () => world.stopAgent(),
    startAgent: () => world.startAgentAgain(),
    signalAgent: (name) => world.agents[0]?.signal(name),
    startInstance: (...instance) => world.startInstance(...instance),
    addKey: (args) => world.operate(['key', 'add', ...args]),
    revokeKey: async (id) => {
      await world.operate(['key', 'revoke', id]);
    },
    logs: async () => JSON.stringify(world.aws.log) + world.agentLogs,
    stop: () => world.stop(),
  };
}

async function startMinistack(sources: Sources): Promise<Host> {
  const world = await MinistackWorld.start({ sources });
  return {
    device: world.device,
    callerKey: world.callerKey,
    ask: (path, init) => fetch(world.relay.httpUrl + path, init),
    stopAgent: () => world.stopAgent(),
    startAgent: () => world.startAgent(),
    signalAgent: (name) => world.agent.signal(name),
    startInstance: () => Promise.reject(new Error('on ministack a device has one instance')),
    addKey: (args) => world.operator.addKey(args),
    revokeKey: (id) => world.operator.revokeKey(id),
    logs: () => world.functionLogs(),
    stop: () => world.stop(),
  };
}
