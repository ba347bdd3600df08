import type { CallerGrants } from '../auth/callers.ts';
import type { Device } from '../registry/registry.ts';
import type { DeviceStore } from './device-service.ts';
import { deviceSpan, flapping } from './device-span.ts';
import { type EventCursor, markOf, mostMarks } from './event-cursor.ts';
import type { PresenceEvent } from './presence-event.ts';

/** What a look found, and where the client stands then. */
export interface EventLook {
  /** Oldest first, each with where a client stands that has read it. */
  readonly events: readonly { readonly event: PresenceEvent; readonly cursor: EventCursor }[];
  readonly cursor: EventCursor;
  /** More changed than a cursor can name: something may have been missed, or comes again. */
  readonly incomplete: boolean;
  /** Devices that were looked at: what the look cost. */
  readonly devices: number;
}

export interface LookRequest {
  readonly grants: CallerGrants;
  wants(device: string): boolean;
  /** The devices that are wanted, where they are named one by one; undefined: all are looked through. */
  readonly ids: readonly string[] | undefined;
  /** Undefined: nothing is told, it begins now. */
  readonly from: EventCursor | undefined;
}

/**
 * Milliseconds for which what became so may still become visible: handlers that run late, an index that lags, clocks that
 * differ by seconds; and twice the time in which a flapping device settles.
 */
const overlapMs = 120_000;
const pageSize = 100;
/** Devices that a look goes through at most. */
const mostPages = 100;

interface State {
  readonly event: PresenceEvent;
  readonly mark: string;
}

/**
 * What is new since a cursor, from the registry alone: presence as it is now, where it became so after the cursor and was
 * not told. Of several changes between two looks the last one is told. Rejects with `PullFault` `registry-unavailable`.
 */
export async function lookForEvents(
  store: Pick<DeviceStore, 'device' | 'devices' | 'proofOf'>,
  request: LookRequest,
  now: number,
): Promise<EventLook> {
  const states: State[] = [];
  let devices = 0;
  for await (const device of wanted(store, request.ids)) {
    devices += 1;
    const { device: id, labels } = device.record;
    if (!request.wants(id) || !request.grants.seesDevice(id, labels)) continue;
    const state = stateOf(device, store, now);
    if (state !== undefined) states.push(state);
  }
  states.sort((a, b) => a.event.since - b.event.since);
  return { ...told(states, request.from, now), devices };
}

async function* wanted(
  store: Pick<DeviceStore, 'device' | 'devices'>,
  ids: readonly string[] | undefined,
): AsyncGenerator<Device> {
  if (ids !== undefined) {
    const found = await Promise.all(ids.map((id) => store.device(id)));
    return yield* found.filter((device) => device !== undefined);
  }
  let after: string | undefined;
  for (let page = 0; page < mostPages; page += 1) {
    const request = after === undefined ? { limit: pageSize } : { limit: pageSize, after };
    const { items, next } = await store.devices(request);
    yield* items;
    if (next === undefined) return;
    after = next;
  }
}

/** A device that flaps has one mark for as long as it does. */
function stateOf(
  device: Device,
  { proofOf }: Pick<DeviceStore, 'proofOf'>,
  now: number,
): State | undefined {
  const span = deviceSpan(device, proofOf, { now, lostSince: 0 });
  if (span === undefined) return undefined;
  const { device: id, labels } = device.record;
  const change = { device: id, labels, ...span, at: now };
  const changes = flapping(device, span, now);
  if (changes > 0) {
    return { event: { type: 'flapping', ...change, changes }, mark: markOf(id, 'flapping') };
  }
  const mark = markOf(id, span.presence, span.since);
  return { event: { type: span.presence, ...change }, mark };
}

function told(
  states: readonly State[],
  from: EventCursor | undefined,
  now: number,
): Omit<EventLook, 'devices'> {
  const begin = Math.max(now - overlapMs, from?.floor ?? 0);
  const late = states.filter(({ event }) => event.since > begin);
  const kept = late.slice(-mostMarks);
  const incomplete = kept.length < late.length;
  const floor = incomplete ? (kept[0]?.event.since ?? now) : begin;
  const cursor = { floor, told: new Set(kept.map(({ mark }) => mark)) };
  if (from === undefined) return { events: [], cursor, incomplete: false };
  const fresh = states.filter(
    ({ event, mark }) => event.since > from.floor && !from.told.has(mark),
  );
  const soFar = new Set(from.told);
  const events = fresh.map(({ event, mark }) => {
    if (soFar.size < mostMarks) soFar.add(mark);
    return { event, cursor: { floor: from.floor, told: new Set(soFar) } };
  });
  return { events, cursor, incomplete };
}
