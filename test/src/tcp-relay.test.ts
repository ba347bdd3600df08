import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TcpRelay } from './tcp-relay.ts';
import { until } from './until.ts';

/** One end of a connection, and what came there. */
interface End {
  readonly socket: Socket;
  bytes: number;
  text: string;
  how: 'fin' | 'reset' | undefined;
}

let server: Server;
let arrivals: Socket[];
let relay: TcpRelay;
let ends: Socket[];

beforeEach(async () => {
  arrivals = [];
  ends = [];
  server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) =>
    arrivals.push(socket),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  relay = await TcpRelay.start((server.address() as AddressInfo).port);
});
afterEach(async () => {
  await relay.stop();
  for (const socket of ends) socket.destroy();
  server.close();
});

function watch(socket: Socket): End {
  ends.push(socket);
  const end: End = { socket, bytes: 0, text: '', how: undefined };
  socket.on('data', (bytes: Buffer) => {
    end.bytes += bytes.length;
    end.text += bytes.toString('latin1');
  });
  socket.on('end', () => (end.how ??= 'fin'));
  socket.on('error', () => (end.how ??= 'reset'));
  socket.resume();
  return end;
}

async function pair(): Promise<{ near: End; far: End }> {
  const before = arrivals.length;
  const socket = connect({ port: relay.port, host: '127.0.0.1', allowHalfOpen: true });
  const near = watch(socket);
  await until(() => arrivals.length > before);
  return { near, far: watch(arrivals[before] as Socket) };
}

/** One byte there and one back: what went before on another connection has had its time. */
async function echoed({ near, far }: { near: End; far: End }): Promise<void> {
  const [atFar, atNear] = [far.bytes, near.bytes];
  near.socket.write('!');
  await until(() => far.bytes > atFar);
  far.socket.write('!');
  await until(() => near.bytes > atNear);
}

describe('TcpRelay', () => {
  it('hands bytes and ends on, each direction by itself, and counts them', async () => {
    const { near, far } = await pair();
    near.socket.end('question');
    await until(() => far.how === 'fin');
    far.socket.end('and the answer');
    await until(() => near.how === 'fin' && relay.open === 0);
    expect([far.text, near.text]).toEqual(['question', 'and the answer']);
    expect([relay.up.taken, relay.up.passed, relay.down.passed]).toEqual([8, 8, 14]);
  });

  it('hands a reset on as a reset', async () => {
    const { near, far } = await pair();
    near.socket.resetAndDestroy();
    await until(() => far.how !== undefined);
    expect(far.how).toBe('reset');
  });

  it('a black hole takes bytes and ends in its direction, and nobody notices; the other direction goes on', async () => {
    const hole = await pair();
    relay.up.blackHole();
    hole.near.socket.end(Buffer.alloc(1_000_000));
    await until(() => relay.up.taken === 1_000_000);
    hole.far.socket.write('still here');
    await until(() => hole.near.text === 'still here');
    expect(hole.far).toMatchObject({ bytes: 0, how: undefined });
  });

  it('after a black hole new connections are whole, and one that lost bytes stays a hole', async () => {
    const lossy = await pair();
    const quiet = await pair();
    relay.blackHole();
    lossy.near.socket.write('lost');
    await until(() => relay.up.taken === 4);
    relay.restore();
    lossy.near.socket.write('lost too');
    await until(() => relay.up.taken === 12);
    await echoed(await pair());
    await echoed(quiet);
    expect(lossy.far.bytes).toBe(0);
  });

  it('a connection that is forgotten is a hole at once, and a new one is whole', async () => {
    const old = await pair();
    relay.forget();
    old.near.socket.write('lost');
    old.far.socket.write('lost');
    await echoed(await pair());
    await until(() => relay.up.taken === 5 && relay.down.taken === 5);
    expect([old.near.bytes, old.far.bytes]).toEqual([0, 0]);
  });

  it('a stalled path takes nothing, so that the window closes, and hands everything on when it is restored', async () => {
    const { near, far } = await pair();
    relay.up.stall();
    const bytes = 32 * 1024 * 1024;
    let drained = false;
    near.socket.write(Buffer.alloc(bytes), () => (drained = true));
    far.socket.write('the other way is open');
    await until(() => near.text !== '' && near.socket.writableLength > 0);
    expect([drained, far.bytes]).toEqual([false, 0]);
    expect(relay.up.taken).toBeLessThan(1_000_000);
    relay.restore();
    await until(() => far.bytes === bytes && drained);
  });

  it('delays every byte, and keeps their order', async () => {
    const { near, far } = await pair();
    relay.up.delay(150);
    const from = performance.now();
    for (let piece = 0; piece < 10; piece += 1) near.socket.write(String(piece));
    near.socket.end();
    await until(() => far.how === 'fin');
    expect(far.text).toBe('0123456789');
    expect(performance.now() - from).toBeGreaterThanOrEqual(149);
  });

  it('throttles to so many bytes a second, and makes the sender wait', async () => {
    const { near, far } = await pair();
    relay.up.throttle(400_000);
    const from = performance.now();
    near.socket.write(Buffer.alloc(200_000));
    await until(() => far.bytes === 200_000);
    const ms = performance.now() - from;
    expect(ms).toBeGreaterThan(450);
    expect(ms).toBeLessThan(2_000);
  });

  it('cuts with an end towards both sides, and resets with a reset', async () => {
    const first = await pair();
    relay.cut();
    await until(() => first.near.how !== undefined && first.far.how !== undefined);
    expect([first.near.how, first.far.how]).toEqual(['fin', 'fin']);
    const second = await pair();
    relay.reset();
    await until(() => second.near.how !== undefined && second.far.how !== undefined);
    expect([second.near.how, second.far.how]).toEqual(['reset', 'reset']);
  });

  it('refuses new connections and lets the open ones be, and accepts again on the same port', async () => {
    const old = await pair();
    await relay.refuse();
    const refused = watch(connect(relay.port, '127.0.0.1'));
    await until(() => refused.how !== undefined);
    expect(refused.how).toBe('reset');
    await echoed(old);
    await relay.accept();
    await echoed(await pair());
  });

  it('closes what is idle, as a proxy does, and lets live what moves', async () => {
    relay.dropIdle({ ms: 300, how: 'closed' });
    const idle = await pair();
    const busy = await pair();
    while (idle.near.how === undefined) await echoed(busy);
    expect([idle.near.how, busy.near.how]).toEqual(['fin', undefined]);
  });

  it('forgets what is idle, as a NAT does: without a word', async () => {
    relay.dropIdle({ ms: 100, how: 'forgotten' });
    const idle = await pair();
    const busy = await pair();
    const from = performance.now();
    while (performance.now() - from < 300) await echoed(busy);
    idle.near.socket.write('too late');
    await until(() => relay.up.taken === busy.far.bytes + 8);
    expect(idle).toMatchObject({ near: { how: undefined }, far: { how: undefined, bytes: 0 } });
  });
});
