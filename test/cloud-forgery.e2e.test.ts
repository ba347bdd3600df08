import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pullIds } from '@pullwire/shared';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { channelToken } from '../cloud/src/auth/channel-token.ts';
import { type RelayKeys, relayKeys } from '../cloud/src/lambda/relay-secret.ts';
import { mintReplyTo, type ReplyAddress, replyToKey } from '../cloud/src/reply/reply-to.ts';
import { AwsWorld } from '../cloud/test/aws/aws-world.ts';
import { StrictClient } from '../cloud/test/gateway/strict-client.ts';
import { forgedTokens } from './src/forged-token.ts';
import type { HandAgent, WireFrame } from './src/hand-agent.ts';
import { HandDevice, headOf } from './src/hand-device.ts';
import { linkLoggedAgent } from './src/logged-agent.ts';

const newPullId = pullIds(randomBytes);
const aPullId = newPullId();

describe('on AWS', () => {
  let aws: AwsWorld;
  let key = '';
  let keys: RelayKeys;
  let victim: HandAgent;
  let mallory: HandAgent;
  let malloryDevice: HandDevice;

  beforeAll(async () => {
    aws = await AwsWorld.start();
    key = await aws.addKey();
    keys = relayKeys(aws.secret);
    victim = await (await HandDevice.add(aws, 'victim')).link();
    malloryDevice = await HandDevice.add(aws, 'mallory');
    mallory = await malloryDevice.link();
  });

  afterAll(async () => {
    victim?.terminate();
    mallory?.terminate();
    await aws?.stop();
  });

  const pullAt = (device: string) =>
    fetch(`${aws.url}/devices/${device}/sources/web/x`, { headers: { 'Pullwire-Key': key } });

  /** A pull waits at the victim while `attack` runs; its answer is the victim's all the same. */
  async function unharmed(attack: (pull: WireFrame) => Promise<void>): Promise<void> {
    const answer = pullAt('victim');
    const pull = await victim.next('pull');
    await attack(pull);
    victim.send(headOf(pull, 'the truth'));
    expect(await (await answer).text()).toBe('the truth');
    await aws.gateway.settled();
  }

  const dropped = () =>
    aws.log.filter(({ msg }) => msg === 'reply frame dropped').map(({ reason }) => reason);

  /** Sends a frame, and tells what the log has for it. */
  async function dropOf(agent: HandAgent, frame: WireFrame): Promise<unknown[]> {
    const before = dropped().length;
    agent.send(frame);
    await aws.logged('reply frame dropped', before + 1);
    await aws.gateway.settled();
    return dropped().slice(before);
  }

  /** The connection on which replies come. */
  const channelId = (): string =>
    aws.gateway.connections.find(({ authorizer }) => authorizer?.['role'] === 'channel')?.id ?? '';

  const addressOf = (over: Partial<ReplyAddress>): ReplyAddress => ({
    host: channelId(),
    pullId: aPullId,
    device: 'mallory',
    expiresAt: Math.floor(Date.now() / 1_000) + 60,
    ...over,
  });

  const own = { pullId: aPullId };

  test.each<[string, string, (pull: WireFrame) => WireFrame | Record<string, unknown>]>([
    ['that is no replyTo', 'malformed', () => ({ ...own, replyTo: 'r1' })],
    [
      'of a key that the relay never had',
      'unknown-key',
      () => ({ ...own, replyTo: mintReplyTo(replyToKey('9', randomBytes(32)), addressOf({})) }),
    ],
    [
      'signed with another key of the same name',
      'forged',
      () => ({ ...own, replyTo: mintReplyTo(replyToKey('1', randomBytes(32)), addressOf({})) }),
    ],
    [
      'that has expired',
      'expired',
      () => ({ ...own, replyTo: mintReplyTo(keys.replyTo, addressOf({ expiresAt: 1 })) }),
    ],
    ['of another device’s pull', 'foreign-device', (pull) => pull],
    [
      'of its own, with the id of another’s pull',
      'foreign-pull',
      ({ pullId }) => ({ pullId, replyTo: mintReplyTo(keys.replyTo, addressOf({})) }),
    ],
  ])('a frame with a replyTo %s is dropped as %s', async (_name, reason, fields) => {
    await unharmed(async (pull) => {
      const { pullId, replyTo } = fields(pull) as WireFrame;
      const lie = { ...headOf(pull, 'a lie'), pullId, replyTo };
      expect(await dropOf(mallory, lie)).toEqual([reason]);
      const fault = { code: 'busy', stage: 'policy', detail: 'a lie' };
      expect(await dropOf(mallory, { action: 'fault', pullId, replyTo, ...fault })).toEqual([
        reason,
      ]);
    });
  });

  test('a replyTo is refused wherever it was changed', async () => {
    await unharmed(async (pull) => {
      const bytes = Buffer.from(String(pull['replyTo']), 'base64url');
      for (const at of [1, 6, bytes.length - 16, bytes.length - 1]) {
        const forged = Buffer.from(bytes);
        forged[at] = (forged[at] ?? 0) ^ 1;
        const replyTo = forged.toString('base64url');
        const [reason] = await dropOf(victim, { ...headOf(pull, 'a lie'), replyTo });
        expect(['forged', 'unknown-key', 'malformed']).toContain(reason);
      }
    });
  });

  test('a replyTo whose pull has ended is of no use any more', async () => {
    const answer = pullAt('mallory');
    const ended = await mallory.next('pull');
    mallory.send(headOf(ended, 'once'));
    expect(await (await answer).text()).toBe('once');
    const late = () =>
      aws.httpEnvironments.reduce((sum, { replies }) => sum + replies.strays.late, 0);
    const before = late();
    await unharmed(async () => {
      expect(await dropOf(mallory, headOf(ended, 'twice'))).toEqual(['late']);
    });
    expect(late() - before).toBe(1);
  });

  test.each(forgedTokens)('nobody becomes a reply channel by a token $name', async ({ make }) => {
    const { refused } = aws.gateway.counts;
    await unharmed(async () => {
      const headers = { Authorization: `Bearer ${await make(aws)}` };
      await expect(StrictClient.dial(aws.linkUrl, { headers })).rejects.toMatchObject({
        status: 401,
      });
    });
    expect(aws.gateway.counts.refused - refused).toBe(1);
  });

  test('an agent’s token makes an agent, whatever its device is called', async () => {
    const device = await HandDevice.add(aws, 'reply-channel');
    const agent = await device.dial();
    expect(aws.gateway.connections.at(-1)?.authorizer).toMatchObject({ role: 'agent' });
    agent.terminate();
    const stranger = await device.dial({ audience: 'relay.example' });
    expect((await stranger.closed).status).toBe(401);
  });

  test('a reply channel cannot speak as an agent', async () => {
    const token = await channelToken(keys.channel, new URL(aws.linkUrl).host, Date.now());
    const headers = { Authorization: `Bearer ${token}` };
    const channel = await StrictClient.dial(aws.linkUrl, { headers });
    const before = await aws.registry.device('victim');
    const told = 'a reply channel sent a message that is none of its own';
    await unharmed(async (pull) => {
      const hello = { version: 1, agent: 'a', device: 'victim', instance: 'main', sources: [] };
      channel.send({ action: 'hello', ...hello, labels: {}, features: [] });
      channel.send(headOf(pull, 'a lie'));
      channel.send({ action: 'drain' });
      channel.send({ action: 'bye', code: 'shutdown' });
      await aws.logged(told, 4);
      await aws.gateway.settled();
    });
    expect(await aws.registry.device('victim')).toEqual(before);
    expect(channel.untaken).toEqual([]);
    channel.socket.terminate();
  });

  test('nobody posts to a channel without a signature of AWS', async () => {
    await unharmed(async (pull) => {
      const url = `${aws.gateway.connectionsUrl}/@connections/${channelId()}`;
      const body = JSON.stringify(headOf(pull, 'a lie'));
      expect((await fetch(url, { method: 'POST', body })).status).toBe(403);
      expect((await fetch(url, { method: 'DELETE' })).status).toBe(403);
    });
  });

  test('no secret is in a line of any log', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'pullwire-log-'));
    const origin = await largeOrigin();
    const url = `http://127.0.0.1:${(origin.address() as AddressInfo).port}`;
    const lines: string[] = [];
    const agent = await linkLoggedAgent(
      aws,
      folder,
      { device: 'talker', sources: { web: { kind: 'http', url, allow: [{ paths: ['/**'] }] } } },
      (line) => lines.push(line),
    );
    const signed = vi.spyOn(aws.objects, 'presignPut');
    const refuses = vi.spyOn(aws.objects, 'permissionOf');
    expect((await (await pullAt('talker')).arrayBuffer()).byteLength).toBe(200_000);
    refuses.mockReturnValueOnce(undefined);
    expect((await pullAt('talker')).status).toBe(502);
    await agent.stop();
    origin.close();
    rmSync(folder, { recursive: true });

    const urls = signed.mock.results.map(({ value }) => (value as { url: string }).url);
    const all = [...lines, ...aws.log.map((line) => JSON.stringify(line))].join('\n');
    const secrets = [
      aws.secret,
      Buffer.from(keys.channel).toString('base64url'),
      key.slice('pwk_'.length + 7),
      ...urls.map((each) => each.slice(each.lastIndexOf('/') + 1)),
    ];
    expect(secrets.length).toBe(5);
    for (const secret of secrets) expect(all.includes(secret)).toBe(false);
    // Of a token (JWS, RFC 7515 §7.1) or a `replyTo` not a piece either: they are long and in base64url.
    expect(all).not.toMatch(/eyJ[\w-]{20,}/);
    expect(all).not.toMatch(/Bearer|replyTo/);
    expect(lines.length).toBeGreaterThan(3);
    vi.restoreAllMocks();
  });
});

/** Answers everything with more than goes inline. */
async function largeOrigin(): Promise<Server> {
  const server = createServer((_request, response) => response.end(Buffer.alloc(200_000, 'x')));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
