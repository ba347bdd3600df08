import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithMinistack } from './describe-with-ministack.ts';
import { DialledSocket, refusal } from './dial.ts';
import { PlantedRelay } from './planted-relay.ts';
import { type Passage, Tap } from './tap.ts';

describeWithMinistack('a tap before ministack', () => {
  let planted: PlantedRelay;
  let tap: Tap;
  const passages: Passage[] = [];
  beforeAll(async () => {
    tap = await Tap.start({ told: (passage) => passages.push(passage) });
    planted = await PlantedRelay.start(tap);
  });
  afterAll(async () => {
    await tap?.stop();
    await planted?.stop();
  });

  const headers = { Authorization: 'agent plant-7' };
  const offered = ['pullwire.v1+bin', 'pullwire.v1+json'];

  it('answers a handshake with the subprotocol that ministack leaves out', async () => {
    const socket = await DialledSocket.dial(planted.relay.linkUrl, { headers }, offered);
    expect(socket.subprotocol).toBe('pullwire.v1+json');
    const said = await socket.ask({ action: 'event' });
    expect(said).toHaveProperty('event.requestContext.eventType', 'MESSAGE');
    await socket.close();
  });

  it('shows to $connect what was offered', async () => {
    const seen =
      await planted.ask<{ event: { headers: Record<string, string> } }[]>('/seen?connect');
    const offers = seen.map(({ event }) => event.headers['sec-websocket-protocol']);
    expect(offers).toContain(offered.join(','));
  });

  it('adds none where none was offered, and leaves a refusal as it is', async () => {
    const socket = await DialledSocket.dial(planted.relay.linkUrl, { headers });
    expect(socket.subprotocol).toBe('');
    await socket.close();
    expect(await refusal(planted.relay.linkUrl, {}, offered)).toBe(401);
  });

  it('tells of posts, of bytes to an agent and of calls to other services', async () => {
    const socket = await DialledSocket.dial(planted.relay.linkUrl, { headers }, offered);
    passages.length = 0;
    socket.send(JSON.stringify({ action: 'post', text: 'a pull' }));
    expect(await socket.next()).toBe('a pull');
    await socket.next();
    await planted.ask('/secret');
    await socket.close();
    expect(passages).toMatchObject(
      expect.arrayContaining([
        expect.objectContaining({ kind: 'bytes', socket: 'agent', to: 'gateway' }),
        expect.objectContaining({ kind: 'bytes', socket: 'agent', to: 'client' }),
        expect.objectContaining({
          kind: 'request',
          method: 'POST',
          path: expect.stringContaining('/@connections/'),
          by: 'pullwire-message',
          status: 200,
        }),
        expect.objectContaining({ kind: 'request', operation: 'AmazonSSM.GetParameter' }),
      ]),
    );
  });
});
