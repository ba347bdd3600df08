import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Daemon } from './daemon.ts';

const withinMs = 10_000;

/** A port of loopback that nobody listens on just now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Whether something accepts connections there. */
export async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** Resolves when the port accepts connections. @throws Error where the daemon ends, or 10 s have passed. */
export async function portOpened(port: number, daemon: Daemon, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await answers(port))) {
    daemon.assertRunning();
    if (performance.now() > deadline) {
      throw new Error(`${daemon.name} did not open port ${port}:\n${daemon.logTail()}`);
    }
    await delay(25, undefined, { signal });
  }
}
