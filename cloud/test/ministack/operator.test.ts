import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readRelayManifest } from '../relay-manifest.ts';
import { deployTable } from './deploy-table.ts';
import { describeWithMinistack } from './describe-with-ministack.ts';
import { Ministack } from './ministack.ts';
import { Operator } from './operator.ts';

describeWithMinistack("the operator's commands on ministack", () => {
  let ministack: Ministack;
  let operator: Operator;
  beforeAll(async () => {
    ministack = await Ministack.start();
    const table = await deployTable(ministack, 'pullwire', readRelayManifest().table);
    operator = new Operator(ministack, { ...ministack.client, table });
  });
  afterAll(() => ministack?.stop());

  it('add, list and remove a device', async () => {
    await operator.addDevice('plant-7', publicKey(), ['site=north']);
    const list = async () => JSON.parse(await operator.run(['device', 'list', '--json']));
    expect(await list()).toMatchObject([{ record: { device: 'plant-7' } }]);
    await operator.removeDevice('plant-7');
    expect(await list()).toEqual([]);
  });

  it('add and revoke a key', async () => {
    const key = await operator.addKey(['--devices', 'plant-*']);
    const [, id = ''] = key.split('_');
    await operator.revokeKey(id);
    expect(await operator.run(['key', 'list'])).toMatch(new RegExp(`${id}.*revoked`));
  });

  it('say what is wrong', async () => {
    await expect(operator.removeDevice('plant-8')).rejects.toThrow('there is no device plant-8');
  });
});

function publicKey(): string {
  const jwk = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
  return `ed25519:${jwk.x}`;
}
