import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { RawConnection } from './raw-http.ts';

describe('a raw HTTP connection', () => {
  let server: Server | undefined;
  let connection: RawConnection | undefined;
  afterEach(async () => {
    connection?.close();
    server?.close();
    if (server?.listening) await once(server, 'close');
  });

  /** A server that says the same to whoever connects. */
  async function open(says: string, then: (socket: Socket) => void = () => undefined) {
    server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.write(Buffer.from(says, 'latin1'), () => then(socket));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    connection = await RawConnection.open({ port: (server.address() as AddressInfo).port });
    return connection;
  }

  it('gives status, reason and headers in the order, case and bytes they came in', async () => {
    const raw = await open(
      'HTTP/1.1 299 Quite  \xe4 good\r\nb: 2\r\nA:1\r\nb:\r\nContent-Length: 0\r\n\r\n',
    );
    expect(await raw.reply()).toMatchObject({
      version: 'HTTP/1.1',
      status: 299,
      reason: 'Quite  \xe4 good',
      headers: ['b', '2', 'A', '1', 'b', '', 'Content-Length', '0'],
      body: { framing: 'length', end: 'complete' },
    });
  });

  it('tells an empty reason from none', async () => {
    const raw = await open('HTTP/1.1 204 \r\n\r\nHTTP/1.1 204\r\n\r\n');
    expect((await raw.reply()).reason).toBe('');
    expect((await raw.reply()).reason).toBeUndefined();
  });

  it('gives 1xx heads apart from the reply', async () => {
    const raw = await open(
      'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n',
    );
    expect(await raw.reply()).toMatchObject({
      status: 204,
      interim: [{ status: 103, headers: ['Link', '</a>'] }],
      body: { framing: 'none' },
    });
  });

  it('gives chunks, their extensions and the trailers', async () => {
    const raw = await open(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n' +
        '3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 5\r\n\r\n',
    );
    expect(await raw.reply()).toMatchObject({
      bytes: Buffer.from('abcde'),
      body: {
        chunks: [
          { size: 3, extension: ';a=b' },
          { size: 2, extension: '' },
        ],
        trailers: ['X-Sum', '5'],
        end: 'complete',
      },
    });
  });

  it('takes a body without a length until the connection ends', async () => {
    const raw = await open('HTTP/1.0 200 OK\r\n\r\nabc', (socket) => socket.end());
    const reply = await raw.reply();
    expect(reply.bytes.toString()).toBe('abc');
    expect(reply.body).toMatchObject({ framing: 'close', end: 'complete' });
  });

  it('sees that a body is short', async () => {
    const raw = await open('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc', (socket) =>
      socket.end(),
    );
    expect((await raw.reply()).body.end).toBe('short');
  });

  it('sees that a chunked body has no end', async () => {
    const raw = await open(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n',
      (socket) => socket.end(),
    );
    expect((await raw.reply()).body.end).toBe('short');
  });

  it('sees that a connection was reset, even where a body ends with it', async () => {
    let peer: Socket | undefined;
    const raw = await open('HTTP/1.0 200 OK\r\n\r\nabc', (socket) => {
      peer = socket;
    });
    const head = await raw.head();
    if (head === undefined) throw new Error('no head');
    const body = raw.body('GET', head);
    expect((await body.piece())?.toString()).toBe('abc');
    peer?.resetAndDestroy();
    expect(await body.piece()).toBeUndefined();
    expect(body.end).toBe('reset');
  });
});
