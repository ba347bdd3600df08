import type { Clock, HeartbeatTerms, Held, Stored } from '@pullwire/shared';
import type { Logger } from 'pino';
import type { KeyRotation } from '../auth/key-rotation.ts';
import type { Poster } from '../connection/poster.ts';
import type { QueueStore } from '../queue/queue-store.ts';
import type { Registry } from '../registry/registry.ts';
import type { ReplyToKey } from '../reply/reply-to.ts';
import {
  FrameReceiver,
  type GatewayTerms,
  type ReadingReceiver,
} from '../session/frame-receiver.ts';
import { connectionLifeMs, type GatewayConnection } from '../session/gateway-link.ts';
import { version } from '../version.ts';
import type { FunctionQueue, QueueObjects } from './compose-queue.ts';
import { linkFields } from './link-fields.ts';
import { createMessage } from './message.ts';
import { PendingWork } from './pending-work.ts';

export interface MessageComposition {
  readonly registry: Pick<
    Registry,
    | 'describeLink'
    | 'drainLink'
    | 'closeLink'
    | 'link'
    | 'device'
    | 'deviceRecord'
    | 'offerKey'
    | 'keyByHash'
  >;
  /** Where queued pulls are kept. */
  readonly store: QueueStore;
  /** Where their large bodies go; loaded with the first one. */
  objects(): Promise<QueueObjects>;
  readonly poster: Poster;
  /** Loaded with the first batch of readings that comes. */
  readings(): Promise<ReadingReceiver>;
  readonly replyKey: ReplyToKey;
  readonly clock: Clock;
  readonly log: Logger;
  /** For how long a link may live, where it is less than the gateway lets it. */
  readonly lifeMs?: number;
  /** How agents prove their path, where that is otherwise than the gateway wants it. */
  readonly heartbeat?: HeartbeatTerms;
}

const terms: GatewayTerms = {
  relay: `pullwire-relay/${version}`,
  pulls: 512,
  // Under the 350 s after which many NATs forget a quiet flow; the agent learns whether its path holds longer, up to a
  // minute below the gateway's own 10 (AWS.md, "Messages").
  heartbeat: { intervalMs: 300_000, timeoutMs: 10_000, maxIntervalMs: 540_000 },
  features: ['hold', 'keep-alive', 'probe', 'readings', 'resend', 'rotate', 'upload'],
  // An agent without a next link has 5 minutes more.
  lifeMs: connectionLifeMs - 300_000,
};

export function composeMessage(composition: MessageComposition) {
  const { registry, poster, replyKey, clock, log } = composition;
  const { lifeMs = terms.lifeMs, heartbeat = terms.heartbeat } = composition;
  let rotation: KeyRotation | undefined;
  let queue: FunctionQueue | undefined;
  const openQueue = async () => {
    queue ??= await loadQueue(composition);
    return queue;
  };
  let readings: ReadingReceiver | undefined;
  const receiver = new FrameReceiver({
    registry,
    rotation: {
      offer: async (link, offered) => {
        rotation ??= await loadRotation(registry);
        return rotation.offer(link, offered);
      },
    },
    readings: {
      receive: async (device, batch) => {
        readings ??= await composition.readings();
        return readings.receive(device, batch);
      },
    },
    poster,
    queue: {
      linked: async (device) => (await openQueue()).linked(device),
      received: async (pull, message) => (await openQueue()).received(pull, message),
    },
    keys: [replyKey],
    clock,
    terms: { ...terms, lifeMs, heartbeat },
    events: {
      opened: (link, { agent, sources }) =>
        log.info({ ...linkFields(link), agent, sources: sources.length }, 'link open'),
      ended: (link, code, reason) =>
        log.info({ ...linkFields(link), why: code, detail: reason }, 'link closed'),
      draining: (link) => log.info(linkFields(link), 'link draining: no new pulls'),
      stray: (link, reason, action) =>
        log.warn({ ...linkFields(link), reason, action }, 'reply frame dropped'),
      undelivered: (link, err) =>
        log.warn({ ...linkFields(link), code: err.code, err }, 'reply channel gone or full'),
      rotated: (link, refused) =>
        log.info({ ...linkFields(link), refused }, refused ? 'key refused' : 'next key noted'),
      readings: (link, count, answer) => logReadings(log, link, count, answer),
      ignored: (link, name) => log.debug({ ...linkFields(link), name }, 'unknown action ignored'),
    },
  });
  return createMessage({
    receiver,
    fromChannel: () => log.warn('a reply channel sent a message that is none of its own'),
  });
}

function logReadings(
  log: Logger,
  link: GatewayConnection,
  readings: number,
  answer: Stored | Held,
): void {
  const fields = { ...linkFields(link), readings };
  // Why, and of which device, the quota says once a day.
  if (answer.action === 'held') return log.debug(fields, 'readings held back');
  const refused = answer.refused?.length ?? 0;
  if (refused > 0) log.warn({ ...fields, refused }, 'readings stored, some refused');
  else log.debug({ ...fields, refused }, 'readings stored');
}

/** Seldom needed: what checks signatures is loaded with the first key that is offered, not at each cold start. */
async function loadRotation(registry: MessageComposition['registry']): Promise<KeyRotation> {
  const { KeyRotation } = await import('../auth/key-rotation.ts');
  return new KeyRotation({ registry });
}

/** Of no use to the frames of a pull that somebody waits for: loaded with the first hello. */
async function loadQueue(composition: MessageComposition): Promise<FunctionQueue> {
  const { FunctionQueue } = await import('./compose-queue.ts');
  return new FunctionQueue({ ...composition, work: new PendingWork() });
}
