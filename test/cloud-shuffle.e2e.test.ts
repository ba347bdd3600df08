import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Agent } from '../agent/src/agent.ts';
import {
  generateDeviceKey,
  publicKeyText,
  writeDeviceKey,
} from '../agent/src/identity/device-key.ts';
import { AwsWorld } from '../cloud/test/aws/aws-world.ts';
import { agentInProcess } from './src/agent-in-process.ts';

const long = process.env['PULLWIRE_LONG'] === '1';
const seeds = Array.from({ length: long ? 20 : 3 }, (_, at) => at + 1);
const devices = 50;
const pulls = 200;

/** What the origin answers to a request: up to 4 frames, and told apart from every other one. */
function replyOf(id: string): Buffer {
  const unit = createHash('sha512').update(id).digest();
  const bytes = 1 + (unit.readUInt32BE(0) % 80_000);
  return Buffer.alloc(bytes, unit);
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Counts how often each request was executed. */
class Origin {
  readonly executed = new Map<string, number>();
  #server!: Server;

  async start(): Promise<string> {
    // Longer than any pause here: a POST that meets a connection which closes just then is an honest fault.
    this.#server = createServer({ keepAliveTimeout: 120_000 }, async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks).toString();
      const id = body.slice(0, body.indexOf(' '));
      this.executed.set(id, (this.executed.get(id) ?? 0) + 1);
      response.end(replyOf(body));
    });
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

describe.each(seeds)('shuffled, doubled and delayed both ways, seed %i', (seed) => {
  const folder = mkdtempSync(join(tmpdir(), 'pullwire-shuffle-'));
  const origin = new Origin();
  const agents: Agent[] = [];
  let aws: AwsWorld;
  let key = '';

  beforeAll(async () => {
    const url = await origin.start();
    aws = await AwsWorld.start({ seed });
    key = await aws.addKey();
    const allow = [{ paths: ['/**'], methods: ['POST'] }];
    for (let at = 1; at <= devices; at += 1) {
      const device = `plant-${at}`;
      const keyFile = join(folder, `${device}.key`);
      const deviceKey = await generateDeviceKey();
      await writeDeviceKey(keyFile, deviceKey);
      await aws.addDevice(device, publicKeyText(deviceKey));
      const sources = { web: { kind: 'http', url, allow } };
      const agent = agentInProcess(folder, { relay: aws.linkUrl, device, keyFile, sources });
      agents.push(agent);
      await agent.start();
    }
    await aws.logged('link open', devices);
  });

  afterAll(async () => {
    await Promise.all(agents.map((agent) => agent.stop()));
    await aws?.stop();
    origin.stop();
    rmSync(folder, { recursive: true });
  });

  async function pullAll(count: number, name: string): Promise<string[]> {
    return Promise.all(
      Array.from({ length: count }, async (_, at) => {
        const body = `${seed}-${name}-${at} ${'z'.repeat((at * 997) % 50_000)}`;
        const target = `${aws.url}/devices/plant-${1 + (at % devices)}/sources/web/x`;
        const answer = await fetch(target, {
          method: 'POST',
          body,
          headers: { 'Pullwire-Key': key },
        });
        const bytes = new Uint8Array(await answer.arrayBuffer());
        const right = sha256(bytes) === sha256(replyOf(body));
        return right ? 'right' : `${answer.status} ${Buffer.from(bytes).toString().slice(0, 300)}`;
      }),
    );
  }

  test(`${pulls} pulls at once over ${devices} agents: every body right, every POST executed once`, async () => {
    // Environments dial their channels in waves: 200 cold ones at once would measure these two cores.
    for (const wave of [50, 100]) await pullAll(wave, `warm-${wave}`);
    origin.executed.clear();
    const results = await pullAll(pulls, 'run');
    expect(results.filter((result) => result !== 'right')).toEqual([]);
    expect([...origin.executed.values()]).toEqual(Array(pulls).fill(1));
    const dropped = aws.log.filter((line) => line['msg'] === 'reply frame dropped');
    expect(dropped.filter((line) => line['reason'] !== 'late')).toEqual([]);
  });
});
