import { createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildPrograms } from './build-programs.ts';
import { describeWithMinistack } from './describe-with-ministack.ts';
import { refusal } from './dial.ts';
import { MinistackWorld } from './ministack-world.ts';
import { formOf } from './secret-form.ts';

/** Code, enroll, run, pull; then revoked: with what ships, on an AWS that others wrote. */
describeWithMinistack('a device that enrolls on ministack', () => {
  const heard: Buffer[] = [];
  let origin: Server;
  let world: MinistackWorld;

  beforeAll(async () => {
    await buildPrograms();
    origin = createServer((_request, response) => void response.end('42'));
    origin.listen(0, '127.0.0.1');
    await once(origin, 'listening');
    const url = `http://127.0.0.1:${(origin.address() as AddressInfo).port}`;
    world = await MinistackWorld.start({
      enrols: true,
      sources: { web: { kind: 'http', url, allow: [{ methods: ['GET'], paths: ['/**'] }] } },
      overheard: (bytes) => heard.push(Buffer.from(bytes)),
    });
  }, 60_000);
  afterAll(async () => {
    await world?.stop();
    origin?.closeAllConnections();
    origin?.close();
  });

  /** Every item of the table, as JSON. */
  async function tableText(): Promise<string> {
    const client = new DynamoDBClient(world.ministack.client);
    const { Items = [] } = await client.send(new ScanCommand({ TableName: world.relay.table }));
    client.destroy();
    return JSON.stringify(Items);
  }

  it('answers pulls', async () => {
    const answer = await world.pull('web', '/temperature');
    expect([answer.status, await answer.text()]).toEqual([200, '42']);
  });

  it('keeps its private key: no wire, no table and no log has it', async () => {
    const { d = '', x = '' } = createPrivateKey(await readFile(world.keyFile)).export({
      format: 'jwk',
    });
    const [secret, known] = [Buffer.from(d, 'base64url'), Buffer.from(x, 'base64url')];
    const wire = Buffer.concat(heard).toString('latin1');
    const table = await tableText();
    const logs = (await world.functionLogs()) + JSON.stringify(world.agent.lines);
    // What is looked for in the same way is found where it belongs.
    expect(wire).toContain('/enroll');
    expect(formOf(known, wire)).toMatch(/^base64/);
    expect(formOf(known, table)).toMatch(/^base64/);
    expect([wire, table, logs].map((text) => formOf(secret, text))).toEqual(
      Array(3).fill(undefined),
    );
    expect(table + logs).not.toContain(world.enrolCode);
  });

  it('is told that it was revoked, and is refused from then on', async () => {
    await world.operator.revokeDevice(world.device);
    expect(await world.agent.ended).not.toBe(0);
    expect(JSON.stringify(world.agent.lines)).toContain('revoked');
    const Authorization = `Bearer ${await world.handshakeToken()}`;
    expect(await refusal(world.relay.linkUrl, { headers: { Authorization } })).toBe(403);
    const status = async () => (await world.pull('web', '/temperature')).status;
    await expect.poll(status, { timeout: 11_000 }).toBe(503);
  }, 30_000);
});
