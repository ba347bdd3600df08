import { type Clock, codecFor, subprotocols, WireError } from '@pullwire/shared';
import type { PullLink, PullMessage } from '../pull/pull-link.ts';
import type { SpoolEntry } from '../spool/spool-reading.ts';
import type { ScheduleConfig } from './schedule-config.ts';
import { type Collected, ScheduleLink } from './schedule-link.ts';

/** Where pulls run, by whatever way they come: policy, limits and audit are the same. */
export interface PullRunner {
  receive(message: PullMessage, link: PullLink): void;
}

export interface ScheduledPullDeps {
  readonly pulls: PullRunner;
  readonly clock: Clock;
  newPullId(): string;
}

/** The largest that still leaves room for a piece of body in each encoding. */
const longest = { batch: Number.MAX_SAFE_INTEGER, piece: { index: 1_023, of: 1_024 } };

/** Asks once for what a schedule names, as the caller `schedule:NAME`. Never rejects: what went wrong is its fault. */
export async function runScheduledPull(
  name: string,
  at: number,
  config: ScheduleConfig,
  { pulls, clock, newPullId }: ScheduledPullDeps,
): Promise<{ readonly entry: SpoolEntry; readonly body: Uint8Array }> {
  const { source, path, query, timeoutMs, maxBytes } = config;
  const begun = clock.monotonic();
  const pullId = newPullId();
  const stop = (reason: 'deadline' | 'caller-left'): void =>
    pulls.receive({ action: 'cancel', pullId, reason }, link);
  const link = new ScheduleLink(maxBytes, () => stop('caller-left'));
  const late = clock.after(timeoutMs, () => {
    link.fault('deadline-exceeded', `no whole reply within ${timeoutMs} ms (timeoutMs)`);
    stop('deadline');
  });
  const asked = { source, path, ...(query !== undefined && { query }) };
  pulls.receive(
    {
      ...{ action: 'pull', pullId, replyTo: 'schedule', seq: 0, method: 'GET', headers: [] },
      ...{ ...asked, deadlineMs: timeoutMs, credit: Number.MAX_SAFE_INTEGER },
      ...{ caller: `schedule:${name}`, end: true },
    },
    link,
  );
  const { outcome, body } = await link.done;
  late.cancel();
  const ms = Math.round(clock.monotonic() - begun);
  return sendable({ schedule: name, at, ...asked, ms, ...outcome }, body);
}

/** One that no frame takes would never leave the spool. */
function sendable(entry: SpoolEntry, body: Uint8Array): Collected & { entry: SpoolEntry } {
  try {
    const { batch, piece } = longest;
    const readings = [
      {
        ...entry,
        length: 0,
        ...(entry.fault === undefined && { piece: { ...piece, index: piece.of - 1 } }),
      },
    ];
    for (const subprotocol of subprotocols) {
      codecFor(subprotocol).encode({ action: 'reading', batch, readings });
    }
    return { entry, outcome: entry, body };
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    const { status: _, headers: __, ...asked } = entry;
    const code = error.code === 'too-large' ? 'reply-head-too-large' : 'upstream-failed';
    const fault = { code, detail: `the head of the reply cannot be sent: ${error.message}` };
    return { entry: { ...asked, fault }, outcome: { fault }, body: new Uint8Array() };
  }
}
