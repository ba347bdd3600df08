import { connect, type Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { WebSocket } from 'ws';

/** What the thread does, until it is ended. */
export interface FloodOrders {
  readonly port: number;
  /** A handshake token for each dial, in turn. */
  readonly tokens: readonly string[];
  readonly device: string;
  /** Connections that send a header a byte at a time, and never end it. */
  readonly slow: number;
  readonly framesPerMs: number;
}

const { port, tokens, device, slow, framesPerMs } = workerData as FloodOrders;
const counts = { frames: 0, links: 0, refused: 0, byes: 0 };

const frames = [
  { action: 'keep-alive' },
  {
    action: 'head',
    pullId: 'AAECAwQFBgcICQoLDA0ODw',
    replyTo: 'MS5mb3JnZWQ',
    seq: 0,
    status: 200,
    headers: [],
  },
  { action: 'wave' },
].map((frame) => JSON.stringify(frame));

/** Slow-loris: each connection opens a request and feeds it drop by drop; one that is cut is opened anew. */
function drip(): void {
  const open = (): Socket => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write('GET /devices HTTP/1.1\r\nHost: x\r\nX-Slow: ');
    return socket;
  };
  const sockets = Array.from({ length: slow }, open);
  setInterval(() => {
    for (const [at, socket] of sockets.entries()) {
      if (socket.destroyed) sockets[at] = open();
      else socket.write('x');
    }
  }, 1_000);
}

/** A stolen device's agent that sends frames without end, and dials again whenever it is thrown out. */
function flood(dialled: number): void {
  const token = tokens[dialled];
  if (token === undefined) return;
  const ws = new WebSocket(`ws://127.0.0.1:${port}/link`, {
    headers: { Authorization: `Bearer ${token}` },
  });
  let timer: NodeJS.Timeout | undefined;
  ws.on('open', () => {
    counts.links += 1;
    ws.send(
      JSON.stringify({
        ...{ action: 'hello', version: 1, agent: 'flood/1', device, instance: 'main' },
        ...{ sources: [], labels: {}, features: [] },
      }),
    );
    timer = setInterval(() => {
      for (let at = 0; at < framesPerMs && ws.readyState === ws.OPEN; at += 1) {
        ws.send(frames[at % frames.length] as string);
        counts.frames += 1;
      }
    }, 1);
  });
  ws.on('message', (data: Buffer) => {
    if (data.includes('too-many-messages')) counts.byes += 1;
  });
  ws.on('unexpected-response', () => {
    counts.refused += 1;
    ws.terminate();
  });
  ws.on('error', () => undefined);
  ws.on('close', () => {
    clearInterval(timer);
    setTimeout(() => flood(dialled + 1), 50);
  });
}

drip();
flood(0);
parentPort?.on('message', () => parentPort?.postMessage(counts));
