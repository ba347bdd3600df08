import type { NewReading } from './reading.ts';
import type { ReadingSweep } from './sweep-readings.ts';

/** For tests: what a schedule brought of a source at a time. */
export function reading(changes: Partial<NewReading> = {}): NewReading {
  return {
    schedule: 'every-minute',
    at: 1_000_000,
    source: 'metrics',
    path: '/metrics',
    ms: 12,
    status: 200,
    headers: ['Content-Type', 'text/plain', 'X-Unit', '\u00b0C'],
    body: Buffer.from('temperature 21.5\n'),
    ...changes,
  };
}

/** For tests: what the sweep finds where nothing is. */
export const noReadings = {
  readingTable: {
    devices: async () => ({ items: [] }),
    oldReadings: async () => [],
    oldPieces: async () => [],
    openReadings: async () => [],
    reading: async () => undefined,
    pieces: async () => [],
    remove: async () => undefined,
    removePieces: async () => undefined,
    closeReading: async () => undefined,
    removeOldLatest: async () => undefined,
    forgetQuota: async () => undefined,
  },
  bodies: { remove: async () => undefined },
} satisfies Pick<ReadingSweep, 'readingTable' | 'bodies'>;

/** One that the device had no answer for. */
export function failed(changes: Partial<NewReading> = {}): NewReading {
  const { status: _status, headers: _headers, ...head } = reading();
  const fault = { code: 'upstream-unreachable', detail: 'connection refused' };
  return { ...head, body: new Uint8Array(0), fault, ...changes };
}
