import { WebSocket } from 'ws';
import type { ChannelSocket, ChannelSocketEvents } from './reply-channel.ts';

export interface WsChannelOptions {
  /** The WebSocket API, as agents dial it. */
  readonly url: string;
  /** A new token for each dial. */
  token(): Promise<string>;
}

const handshakeMs = 10_000;
/** A message is at most 128 KB (AWS.md, "Limits of a WebSocket API"). */
const maxPayload = 128 * 1_024;

export interface WsChannel extends ChannelSocket {
  readonly socket: WebSocket;
}

/** Dials the relay's own WebSocket API. Rejects where the handshake is refused or takes more than 10 s. */
export async function dialChannel(
  { url, token }: WsChannelOptions,
  events: ChannelSocketEvents,
): Promise<WsChannel> {
  const authorization = `Bearer ${await token()}`;
  const socket = new WebSocket(url, {
    headers: { authorization },
    handshakeTimeout: handshakeMs,
    perMessageDeflate: false,
    maxPayload,
    followRedirects: false,
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('unexpected-response', (_request, response) => {
      response.destroy();
      reject(new Error(`the handshake was answered ${response.statusCode}`));
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the handshake broke off')));
  });
  socket.on('message', (data) => events.text(String(data)));
  socket.on('error', () => undefined); // a close follows
  socket.once('close', (code) => events.closed(`closed with ${code}`));
  return {
    socket,
    send: (text) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    },
    close: () => socket.terminate(),
  };
}
