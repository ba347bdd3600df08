import type { NewReading } from './reading.ts';

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

/** One that the device had no answer for. */
export function failed(changes: Partial<NewReading> = {}): NewReading {
  const { status: _status, headers: _headers, ...head } = reading();
  const fault = { code: 'upstream-unreachable', detail: 'connection refused' };
  return { ...head, body: new Uint8Array(0), fault, ...changes };
}
