import type { Socket } from 'node:net';

/** What has moved over a socket so far. */
export interface Movement {
  /** Bytes received, ever. */
  readonly received: number;
  /** Bytes that were handed over to the kernel, ever. */
  readonly sent: number;
  /** Bytes that wait in the process. */
  readonly waiting: number;
  /** Those of them that are part of the write under way and not yet taken by the kernel. */
  readonly inKernelQueue: number;
}

export function movementOf(socket: Socket): Movement {
  return {
    received: socket.bytesRead,
    sent: socket.bytesWritten - socket.writableLength,
    waiting: socket.writableLength,
    inKernelQueue: writeQueueSize(socket),
  };
}

/** Something waited, and the kernel took some of it. */
export function isSending(before: Movement, now: Movement): boolean {
  if (before.waiting === 0) return false;
  return now.sent !== before.sent || now.inKernelQueue !== before.inKernelQueue;
}

/** Received and written, together. */
export function movedBytes(before: Movement, now: Movement): number {
  const { received, sent, waiting } = before;
  return now.received + now.sent + now.waiting - (received + sent + waiting);
}

/** Written between the two, taken by the kernel or not. */
export function bytesWritten(before: Movement, now: Movement): number {
  return now.sent + now.waiting - (before.sent + before.waiting);
}

/**
 * Bytes that the kernel has not taken of the write under way. A long write completes as a whole, so `bytesWritten`
 * and `writableLength` stand still for as long as it takes; Node's own idle time-out reads this same private field
 * (lib/net.js, `_onTimeout`) for the same reason. 0 where it is missing: a slow uplink then looks less alive.
 */
function writeQueueSize(socket: Socket): number {
  const handle = (socket as Socket & { _handle?: { writeQueueSize?: unknown } | null })._handle;
  return typeof handle?.writeQueueSize === 'number' ? handle.writeQueueSize : 0;
}
