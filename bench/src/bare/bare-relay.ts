/**
 * The least that a tunnel of the same libraries can be: `node:http` to `ws`, no authentication, no policy, no limits, no
 * log, no flow control. It shows what the machine leaves to a real one. `bare-relay.ts PORT`.
 */
import { createServer, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Cork } from '@pullwire/shared';
import { type WebSocket, WebSocketServer } from 'ws';

interface Meta {
  readonly status: number;
  readonly headers: string[];
}

const waiting = new Map<number, ServerResponse>();
let link: WebSocket | undefined;
let cork: Cork | undefined;
let ids = 0;

const server = createServer((request, response) => {
  if (link === undefined) {
    response.writeHead(503).end();
    return;
  }
  ids += 1;
  waiting.set(ids, response);
  const { method, url, rawHeaders } = request;
  const meta = Buffer.from(JSON.stringify({ method, url, headers: rawHeaders }));
  const frame = Buffer.allocUnsafe(4 + meta.length);
  frame.writeUInt32BE(ids, 0);
  meta.copy(frame, 4);
  cork?.hold();
  link.send(frame);
});

/** A frame: id, whether it is the last, length of the meta, meta, piece of the body. */
function receive(frame: Buffer): void {
  const id = frame.readUInt32BE(0);
  const response = waiting.get(id);
  if (response === undefined) return;
  const metaEnd = 9 + frame.readUInt32BE(5);
  if (metaEnd > 9) {
    const meta = JSON.parse(frame.toString('utf8', 9, metaEnd)) as Meta;
    response.writeHead(meta.status, meta.headers);
  }
  const body = frame.subarray(metaEnd);
  if (frame[4] === 0) {
    response.write(body);
    return;
  }
  waiting.delete(id);
  response.end(body);
}

new WebSocketServer({ server, perMessageDeflate: false }).on('connection', (ws, request) => {
  link = ws;
  cork = new Cork(request.socket as Socket);
  ws.on('message', receive);
});
server.listen(Number(process.argv[2]), '127.0.0.1');
