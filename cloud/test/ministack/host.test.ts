import { afterAll, beforeAll, expect, it } from 'vitest';
import type { MessageEvent, WebSocketRequestContext } from '../../src/lambda/event.ts';
import { invokeFunction } from './deploy-http.ts';
import { describeWithMinistack } from './describe-with-ministack.ts';
import { type DialledSocket, refusal } from './dial.ts';
import { PlantedRelay } from './planted-relay.ts';

/** What our functions need of a host, shown on ministack by planted ones that are deployed as ours are. */
describeWithMinistack('functions on ministack', () => {
  let planted: PlantedRelay;
  beforeAll(async () => {
    planted = await PlantedRelay.start();
  });
  afterAll(() => planted?.stop());

  interface Seen {
    readonly event: { readonly requestContext: WebSocketRequestContext };
    readonly postToItself?: string;
  }
  const eventOf = async (socket: DialledSocket): Promise<MessageEvent> =>
    (await socket.ask({ action: 'event' }))['event'] as MessageEvent;
  const idOf = async (socket: DialledSocket): Promise<string> =>
    (await eventOf(socket)).requestContext.connectionId;

  /** What a function wrote down about a connection. */
  const seen = async (kind: string, connectionId: string): Promise<Seen> => {
    const all = await planted.ask<Seen[]>(`/seen?${kind}`);
    const found = all.find(({ event }) => event.requestContext.connectionId === connectionId);
    if (found === undefined) throw new Error(`nothing seen of ${connectionId} in ${kind}`);
    return found;
  };

  it('run on the Node that runs this test, with the variables of the manifest', async () => {
    const said = await planted.ask<{ version: string; variables: string[] }>('/node');
    expect(said.version).toBe(process.versions.node);
    expect(said.variables).toEqual(
      expect.arrayContaining(['PULLWIRE_TABLE', 'PULLWIRE_BUCKET', 'PULLWIRE_LINK_URL']),
    );
  });

  it('read the secret, decrypted', async () => {
    expect(await planted.ask('/secret')).toEqual({ type: 'SecureString', length: 43 });
  });

  it('put and get objects', async () => {
    expect(await planted.ask('/bucket')).toEqual({ put: 200, got: 'an object' });
  });

  it('are called by name, as a schedule calls them', async () => {
    const sweep = planted.relay.functions['sweep'] ?? '';
    expect(await invokeFunction(planted.ministack, sweep, { now: 1 })).toEqual({
      event: { now: 1 },
    });
  });

  it('get a request with method, path, headers and body', async () => {
    const event = await planted.ask('/devices/plant-7?tail=3', {
      method: 'PUT',
      headers: { 'X-Case': 'Kept', 'content-type': 'application/octet-stream' },
      body: Buffer.from([0, 255]),
    });
    expect(event).toMatchObject({
      version: '2.0',
      rawPath: '/devices/plant-7',
      rawQueryString: 'tail=3',
      headers: { 'x-case': 'Kept' },
      requestContext: { http: { method: 'PUT', sourceIp: '127.0.0.1' } },
      body: 'AP8=',
      isBase64Encoded: true,
    });
  });

  it('answer with status, headers, cookies and bytes as they are', async () => {
    const answer = await fetch(`${planted.relay.httpUrl}/bytes`);
    expect(answer.status).toBe(206);
    expect(answer.headers.get('content-type')).toBe('image/png');
    expect(answer.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect([...new Uint8Array(await answer.arrayBuffer())]).toEqual([0, 255, 128, 10]);
  });

  it('are told what the authorizer said, with each message', async () => {
    const socket = await planted.dial('plant-8');
    const { requestContext, body, ...rest } = await eventOf(socket);
    expect(rest).toEqual({ isBase64Encoded: false });
    expect(body).toBe('{"action":"event"}');
    expect(requestContext).toMatchObject({
      routeKey: '$default',
      eventType: 'MESSAGE',
      stage: 'live',
      authorizer: { role: 'agent', device: 'plant-8', principalId: 'plant-8' },
      messageId: expect.any(String),
      requestId: expect.any(String),
      identity: { sourceIp: '127.0.0.1' },
    });
    await socket.close();
  });

  it('are told of a connection before its handshake is answered, with its headers', async () => {
    const socket = await planted.dial();
    const { event, postToItself } = await seen('connect', await idOf(socket));
    expect(event).toMatchObject({
      requestContext: { eventType: 'CONNECT', routeKey: '$connect' },
      headers: { authorization: 'agent plant-7' },
    });
    expect(postToItself).toBe('410 GoneException');
    await socket.close();
  });

  it('are told when a connection has ended', async () => {
    const socket = await planted.dial();
    const id = await idOf(socket);
    await socket.close();
    await expect
      .poll(() => seen('disconnect', id), { timeout: 5_000 })
      .toMatchObject({
        event: { requestContext: { eventType: 'DISCONNECT', routeKey: '$disconnect' } },
      });
  });

  it('get anything that has no route of its own, text that is no JSON too', async () => {
    const socket = await planted.dial();
    const event = (await socket.ask({ action: 'no-such-action' }))['event'] as MessageEvent;
    expect(event.requestContext.routeKey).toBe('$default');
    socket.send('no JSON');
    expect(await socket.next()).toContain('is not valid JSON');
    await socket.close();
  });

  it('post to another connection, in order, and to one that is gone: 410', async () => {
    const [from, to] = await Promise.all([planted.dial('a'), planted.dial('b')]);
    const id = await idOf(to);
    expect(await from.ask({ action: 'post', to: id, text: 'one' })).toEqual({ status: '200' });
    expect(await from.ask({ action: 'post', to: id, text: 'two' })).toEqual({ status: '200' });
    expect([await to.next(), await to.next()]).toEqual(['one', 'two']);
    await to.close();
    await expect
      .poll(() => from.ask({ action: 'post', to: id, text: 'three' }), { timeout: 5_000 })
      .toEqual({ status: '410 GoneException' });
    await from.close();
  });

  it('post from the http function', async () => {
    const socket = await planted.dial();
    const body = JSON.stringify({ to: await idOf(socket), text: 'pull' });
    const headers = { 'content-type': 'application/json' };
    expect(await planted.ask('/post', { method: 'POST', headers, body })).toEqual({
      status: '200',
    });
    expect(await socket.next()).toBe('pull');
    await socket.close();
  });

  it('close a connection: its client sees 1000', async () => {
    const [from, to] = await Promise.all([planted.dial('a'), planted.dial('b')]);
    from.send(JSON.stringify({ action: 'delete', to: await idOf(to) }));
    expect(await to.closed).toBe(1000);
    await from.close();
  });

  it('leave the keep-alive route alone, which tells a connection its id', async () => {
    const socket = await planted.dial();
    expect(await socket.ask({ action: 'keep-alive' })).toEqual({
      action: 'kept-alive',
      connectionId: await idOf(socket),
    });
    await socket.close();
  });

  it('refuse a handshake: 401 without a token, 403 denied, 500 where the authorizer is down', async () => {
    const { linkUrl } = planted.relay;
    const say = (Authorization: string) => refusal(linkUrl, { headers: { Authorization } });
    expect(await refusal(linkUrl)).toBe(401);
    expect(await say('denied')).toBe(403);
    expect(await say('crash')).toBe(500);
  });

  it('leave a log, a WebSocket function as well', async () => {
    const socket = await planted.dial();
    const id = await idOf(socket);
    const name = planted.relay.functions['message'] ?? '';
    await expect
      .poll(() => planted.ministack.functionLog(name), { timeout: 5_000 })
      .toContain(`message ${id}`);
    await socket.close();
  });
});
