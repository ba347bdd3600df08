import { readFileSync, readlinkSync } from 'node:fs';
import type { Socket } from 'node:net';

/** As `/proc/net/tcp` is read: one table serves all sockets that are asked about at the same time. */
interface Table {
  readonly text: string;
  readonly readAt: number;
}

const files = ['/proc/self/net/tcp', '/proc/self/net/tcp6'] as const;
const tables = new Map<string, Table>();
/** Milliseconds. A relay may doubt thousands of links in the same second. */
const tableAgeMs = 250;

/**
 * Bytes of a TCP socket that the system has and that the peer's system has not acknowledged (RFC 9293 §3.4); undefined where
 * nobody can tell: on systems other than Linux, and where `/proc` is not readable. Reads a table of all connections, a matter
 * of microseconds on a device and of milliseconds at a relay: for links in doubt only.
 */
export function unacknowledgedBytes(socket: Socket): number | undefined {
  const inode = inodeOf(socket);
  if (inode === undefined) return undefined;
  for (const file of files) {
    const bytes = txQueue(read(file), inode);
    if (bytes !== undefined) return bytes;
  }
  return undefined;
}

/** Node keeps the descriptor of a socket, and of the one below a TLS socket, in a private field. */
function inodeOf(socket: Socket): string | undefined {
  const handle = (socket as Socket & { _handle?: { fd?: unknown } | null })._handle;
  const fd = handle?.fd;
  if (typeof fd !== 'number' || fd < 0) return undefined;
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1];
  } catch {
    return undefined;
  }
}

/** proc(5): `sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode …`. */
function txQueue(text: string, inode: string): number | undefined {
  const at = text.indexOf(` ${inode} `);
  if (at < 0) return undefined;
  const line = text.slice(text.lastIndexOf('\n', at) + 1, at);
  const field = line.trim().split(/\s+/)[4];
  const bytes = Number.parseInt(field ?? '', 16);
  return Number.isNaN(bytes) ? undefined : bytes;
}

function read(file: string): string {
  const now = performance.now();
  const known = tables.get(file);
  if (known !== undefined && now - known.readAt < tableAgeMs) return known.text;
  let text = '';
  try {
    text = readFileSync(file, 'latin1');
  } catch {
    // There is none.
  }
  tables.set(file, { text, readAt: now });
  return text;
}
