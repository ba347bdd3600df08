import type { QueuedPull } from './queued-pull.ts';

/** For tests: an id whose time is `at`. */
export function sampleId(at: number, random = 0): string {
  const bytes = Buffer.alloc(16, random);
  bytes.writeUIntBE(at, 0, 6);
  return bytes.toString('base64url');
}

/** For tests: a POST that waits for plant-7 since `queuedAt`, 1,000 unless said. */
export function queuedPull(changes: Partial<QueuedPull> = {}): QueuedPull {
  const queuedAt = changes.queuedAt ?? 1_000;
  return {
    device: 'plant-7',
    id: sampleId(queuedAt),
    owner: 'key-1',
    caller: 'ops',
    keyHash: 'hash-1',
    source: 'web',
    method: 'POST',
    path: '/run',
    query: 'a=1',
    headers: ['Content-Type', 'text/plain', 'Content-Length', '2'],
    body: new Uint8Array([0, 255]),
    queuedAt,
    deadlineAt: 61_000,
    answerMs: 5_000,
    keepMs: 10_000,
    keptUntil: 76_000,
    state: 'queued',
    sends: 0,
    ...changes,
  };
}
