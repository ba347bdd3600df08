import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { headerValue } from '@pullwire/shared';
import { type CollectedBody, type Framing, RawBody, readFields } from './raw-body.ts';
import { RawBytes } from './raw-bytes.ts';

/** A message's head as it came. */
export interface RawHead {
  /** Request line or status line. */
  readonly start: string;
  /** Flat: name, value, name… in order and case. */
  readonly headers: readonly string[];
}

export interface StatusHead extends RawHead {
  readonly version: string;
  readonly status: number;
  /** Undefined where there is not even the space before it. */
  readonly reason: string | undefined;
}

/** A whole reply; nothing in it is normalised. */
export interface RawReply extends StatusHead, CollectedBody {
  /** The 1xx that came before. */
  readonly interim: readonly StatusHead[];
  readonly body: RawBody;
}

export interface RawTarget {
  readonly port: number;
  readonly host?: string;
  /** Certificates to trust, as PEM: the connection is TLS. */
  readonly ca?: string;
}

/** A connection that sends what it is given, byte for byte, and reads replies without making sense of them. */
export class RawConnection {
  readonly #socket: Socket;
  readonly #bytes: RawBytes;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#bytes = new RawBytes(socket);
  }

  static async open({ port, host = '127.0.0.1', ca }: RawTarget): Promise<RawConnection> {
    const socket =
      ca === undefined ? connectTcp({ port, host }) : connectTls({ port, host, ca: [ca] });
    await new Promise<void>((resolve, reject) => {
      socket.once(ca === undefined ? 'connect' : 'secureConnect', resolve);
      socket.once('error', reject);
    });
    socket.setNoDelay(true);
    return new RawConnection(socket);
  }

  /** Latin-1 where it is text. Resolves when the peer takes more; a connection that is gone takes all. */
  async send(data: string | Uint8Array): Promise<void> {
    const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : data;
    if (this.#socket.destroyed || this.#socket.write(bytes)) return;
    const socket = this.#socket;
    await new Promise<void>((resolve) => {
      const go = (): void => {
        socket.off('drain', go).off('close', go);
        resolve();
      };
      socket.on('drain', go).on('close', go);
    });
  }

  /** The next head, a 1xx too; undefined where the connection ends before it. */
  async head(): Promise<StatusHead | undefined> {
    const head = await readHead(this.#bytes);
    return head === undefined ? undefined : parseStatus(head);
  }

  /** The body that follows `head` in answer to `method`. */
  body(method: string, head: StatusHead): RawBody {
    return new RawBody(this.#bytes, ...replyFraming(method, head));
  }

  /**
   * The next reply, whole. `continued` is called for each 100 that comes before it. Throws where the connection ends
   * before the reply's head.
   */
  async reply(method = 'GET', continued: () => unknown = () => undefined): Promise<RawReply> {
    const interim: StatusHead[] = [];
    for (;;) {
      const head = await this.head();
      if (head === undefined) throw new Error(`no reply: ${this.#bytes.ended}`);
      if (head.status >= 200) {
        const body = this.body(method, head);
        return { ...head, interim, body, ...(await body.collect()) };
      }
      interim.push(head);
      if (head.status === 100) continued();
    }
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** Undefined where the connection ends before the head is whole. */
export async function readHead(bytes: RawBytes): Promise<RawHead | undefined> {
  const start = await bytes.line();
  if (start === undefined) return undefined;
  const headers = await readFields(bytes);
  return headers === undefined ? undefined : { start, headers };
}

function parseStatus(head: RawHead): StatusHead {
  const [, version, status, reason] = /^(HTTP\/\d\.\d) (\d{3})(?: (.*))?$/.exec(head.start) ?? [];
  if (version === undefined) throw new Error(`not a status line: ${head.start}`);
  return { ...head, version, status: Number(status), reason };
}

/** RFC 9112 §6.3, for a reply. */
function replyFraming(method: string, { status, headers }: StatusHead): [Framing, number] {
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return ['none', 0];
  return declaredFraming(headers) ?? ['close', 0];
}

/** RFC 9112 §6.3, for a request. */
export function requestFraming(headers: readonly string[]): [Framing, number] {
  return declaredFraming(headers) ?? ['none', 0];
}

function declaredFraming(headers: readonly string[]): [Framing, number] | undefined {
  if (headerValue(headers, 'transfer-encoding') !== undefined) return ['chunked', 0];
  const length = headerValue(headers, 'content-length');
  return length === undefined ? undefined : ['length', Number(length)];
}
