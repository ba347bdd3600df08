import { randomInt } from 'node:crypto';
import type { Clock } from '@pullwire/shared';
import type { Logger } from 'pino';
import { AgentAdmission } from '../auth/agent-admission.ts';
import { AgentAuth } from '../auth/agent-auth.ts';
import { AuthThrottle } from '../auth/auth-throttle.ts';
import { CallerAuth } from '../auth/caller-auth.ts';
import { Issuers } from '../auth/issuers.ts';
import { isLoopback } from '../config/loopback.ts';
import type { RelayConfig } from '../config/relay-config.ts';
import { HttpsIssuerKeys } from '../issuer/https-issuer-keys.ts';
import { createRelay, type Relay } from '../relay.ts';
import { dataFolder } from '../server/data-folder.ts';
import { DeviceReads } from '../server/device-reads.ts';
import type { RelayParts } from '../server/relay-parts.ts';
import { MemorySpentTokens } from '../server/spent-tokens.ts';
import { SweepSchedule } from '../server/sweep-schedule.ts';
import { version } from '../version.ts';
import type { CliContext, ProcessSignals } from './cli-context.ts';
import { OwnAudiences } from './own-audiences.ts';
import { openBodies } from './serve-bodies.ts';
import { openReadings } from './serve-readings.ts';
import { openServeStore, type ServeStore } from './serve-store.ts';

/** Runs the one-box server until the process is told to stop. Rejects where it cannot start. */
export async function serve(config: RelayConfig, context: CliContext, log: Logger): Promise<void> {
  const signals = context.signals();
  const stops: Stop[] = [];
  try {
    await start(config, context, { log, signals, stops });
    await aborted(signals.stop);
  } catch (error) {
    await stopAll(stops).catch((err: unknown) => log.error({ err }, 'cannot stop'));
    throw error;
  }
  log.info('shutting down');
  await stopAll(stops);
  log.info('stopped');
}

type Stop = () => Promise<void>;

interface Serving {
  readonly log: Logger;
  readonly signals: ProcessSignals;
  /** What has been started and must be stopped, the first one last. */
  readonly stops: Stop[];
}

async function start(
  config: RelayConfig,
  { clock }: CliContext,
  { log, signals, stops }: Serving,
): Promise<void> {
  const store = await openServeStore({ config, signal: signals.stop, clock, log });
  stops.push(() => store.close());
  const { registry } = store;
  const readings = await openReadings(config, store, clock);
  const minute = randomInt(60);
  const queueBodies = await openBodies(dataFolder(config.dataFolder).queue, clock);
  const queue = { store: store.queue, bodyStore: queueBodies };
  const sweeps = new SweepSchedule({ registry, readings, queue, log, now: clock.wall, minute });
  sweeps.start();
  stops.push(() => sweeps.stop());
  const relay = assemble(config, { ...store, readings, queueBodies }, clock, log);
  const { url } = await relay.start();
  stops.unshift(() => relay.stop()); // what is under way goes on without the registry, which the next process may take
  stops.push(() => relay.retire());
  signals.onSnapshot(() => log.info(relay.snapshot(), 'snapshot'));
  warnInTheClear(config, log);
  log.info({ url, version, registry: config.table?.name ?? config.dataFolder }, 'listening');
}

/** Puts the relay together with the registry and what rests on it. */
function assemble(
  config: RelayConfig,
  store: ServeStore & Pick<RelayParts, 'readings' | 'queueBodies'>,
  clock: Clock,
  log: Logger,
): Relay {
  const { registry } = store;
  const throttle = new AuthThrottle(clock);
  const issuers = new Issuers({
    issuers: config.issuers,
    keysOf: (issuer) => new HttpsIssuerKeys({ config: issuer, clock }),
  });
  const callers = new CallerAuth({
    registry,
    clock,
    issuers,
    throttle,
    toldOfChanges: config.table === undefined,
    noteUse: (work) => {
      work.catch((err: unknown) => log.warn({ err }, 'the use of a key could not be noted'));
    },
  });
  const agents = new AgentAuth({
    registry: new DeviceReads(registry),
    clock,
    issuers,
    remembersSince: clock.wall(),
  });
  const admission = new AgentAdmission({ registry, tokens: new MemorySpentTokens(clock) });
  const audiences = new OwnAudiences(config, clock);
  const relay = createRelay({
    settings: config,
    registry,
    queue: store.queue,
    queueBodies: store.queueBodies,
    hearsOfWrites: config.table === undefined,
    registryTrouble: () => store.trouble(),
    readings: store.readings,
    callers,
    throttle,
    linkUrl: linkUrlOf(config.publicUrl),
    admit: async (token, port) => {
      const agent = await agents.authenticate(token, audiences.names(port));
      return { identity: agent.identity, record: await admission.admit(agent) };
    },
    clock,
    log,
    version,
  });
  store.onForeignWrite((devices) => {
    callers.clear();
    agents.clear();
    relay.registryChanged(devices);
  });
  return relay;
}

/** Where agents dial a relay that is known under this URL. */
function linkUrlOf(publicUrl: string | undefined): string | undefined {
  if (publicUrl === undefined) return undefined;
  const url = new URL('/link', publicUrl);
  url.protocol = url.protocol.replace('http', 'ws');
  return url.href;
}

function warnInTheClear({ listen, tls, insecure }: RelayConfig, log: Logger): void {
  if (tls === undefined && insecure && !isLoopback(listen.host)) {
    log.warn('listening in the clear: keys, tokens and data can be read on the way');
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Stops every part, the last one first, whatever becomes of the others. Throws the first error. */
async function stopAll(stops: readonly Stop[]): Promise<void> {
  const errors: unknown[] = [];
  for (const stop of stops.toReversed()) {
    await stop().catch((error: unknown) => errors.push(error));
  }
  if (errors.length > 0) throw errors[0];
}
