/** A device came or went. */
export interface PresenceChange {
  readonly device: string;
  /** By the operator's word, as they were then: who may see the device may see this. */
  readonly labels: Readonly<Record<string, string>>;
  readonly presence: 'connected' | 'offline';
  /** Of the link that made the difference. */
  readonly instance: string;
  /** Since when it is so: epoch milliseconds. */
  readonly since: number;
  /** Why it is offline. */
  readonly why?: string;
}

/** What `GET /events` tells of a device. */
export interface PresenceEvent extends PresenceChange {
  /** `flapping`: it comes and goes; nothing more is said of it until it has settled. */
  readonly type: 'connected' | 'offline' | 'flapping';
  /** When it was said: epoch milliseconds. */
  readonly at: number;
  /** Changes that this event stands for, where they are more than itself. */
  readonly changes?: number;
}

/** The lines of one event (HTML, "Server-sent events"); labels are not in it: they are for the grants. */
export function eventText(event: PresenceEvent, id: string): string {
  const { type, device, presence, instance, why, changes } = event;
  const [since, at] = [event.since, event.at].map((ms) => new Date(ms).toISOString());
  const data = JSON.stringify({ device, presence, since, why, instance, changes, at });
  return `id: ${id}\nevent: ${type}\ndata: ${data}\n\n`;
}

/** Tells a client that it may have missed something: it reads `GET /devices`, and goes on from here. */
export function resetText(id: string, why: string): string {
  const data = JSON.stringify({ why, read: '/devices' });
  return `id: ${id}\nevent: reset\ndata: ${data}\n\n`;
}

/** Sets where a client goes on, and when it comes back, without an event. */
export function beginText(id: string, retryMs: number): string {
  return `retry: ${retryMs}\nid: ${id}\n\n`;
}

export const eventStreamHeaders = [
  'Content-Type',
  'text/event-stream',
  'Cache-Control',
  'no-store',
  // nginx in front would collect events until they fill a buffer.
  'X-Accel-Buffering',
  'no',
  'Pullwire-Answered-By',
  'relay',
] as const;
