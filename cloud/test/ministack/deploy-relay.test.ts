import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DescribeTimeToLiveCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetFunctionConfigurationCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { zipSync } from 'fflate';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readRelayManifest } from '../relay-manifest.ts';
import { deployRelay, type RelayPlan } from './deploy-relay.ts';
import { describeWithMinistack } from './describe-with-ministack.ts';
import { Ministack } from './ministack.ts';

describeWithMinistack('a deployment on ministack', () => {
  const manifest = readRelayManifest();
  let ministack: Ministack;
  let zipFolder: string;
  beforeAll(async () => {
    ministack = await Ministack.start();
    zipFolder = await mkdtemp(join(tmpdir(), 'pullwire-zips-'));
    const code = new TextEncoder().encode('export const handler = async () => ({});');
    const zip = zipSync({ 'index.mjs': code });
    for (const key of Object.keys(manifest.functions)) {
      await writeFile(join(zipFolder, `${key}.zip`), zip);
    }
  });
  afterAll(async () => {
    await ministack?.stop();
    await rm(zipFolder, { recursive: true, force: true });
  });

  let deployments = 0;
  const deploy = (plan: Partial<RelayPlan> = {}) => {
    deployments += 1;
    return deployRelay(ministack, { zipFolder, name: `relay-${deployments}`, ...plan });
  };
  const withFunction = (key: string, environment: readonly string[]): Partial<RelayPlan> => {
    const added = { timeoutSeconds: 1, memoryMb: 128, environment };
    return { manifest: { ...manifest, functions: { ...manifest.functions, [key]: added } } };
  };
  const withRoute = (key: string, route: object): Partial<RelayPlan> => {
    const routes = { ...manifest.webSocket.routes, [key]: route };
    const webSocket = { ...manifest.webSocket, routes } as typeof manifest.webSocket;
    return { manifest: { ...manifest, webSocket } };
  };

  it('gives each function the time, the memory and the variables of the manifest', async () => {
    const relay = await deploy({ environment: { PULLWIRE_LOG_LEVEL: 'debug' } });
    const client = new LambdaClient(ministack.client);
    for (const [key, wanted] of Object.entries(manifest.functions)) {
      const FunctionName = relay.functions[key];
      const made = await client.send(new GetFunctionConfigurationCommand({ FunctionName }));
      expect(made).toMatchObject({
        Runtime: manifest.runtime,
        Handler: manifest.handler,
        Timeout: wanted.timeoutSeconds,
        MemorySize: wanted.memoryMb,
      });
      const variables = made.Environment?.Variables ?? {};
      expect(Object.keys(variables).sort()).toEqual([...wanted.environment].sort());
      expect(variables).toMatchObject({ PULLWIRE_LOG_LEVEL: 'debug' });
    }
    client.destroy();
  });

  it('lets items of the table expire by the attribute of the manifest', async () => {
    const { table: TableName } = await deploy();
    const client = new DynamoDBClient(ministack.client);
    const { TimeToLiveDescription } = await client.send(
      new DescribeTimeToLiveCommand({ TableName }),
    );
    client.destroy();
    expect(TimeToLiveDescription).toEqual({
      AttributeName: manifest.table.expiryAttribute,
      TimeToLiveStatus: 'ENABLED',
    });
  });

  it('says which function has no zip', async () => {
    await expect(deploy(withFunction('extra', []))).rejects.toThrow(
      `relay.json has the function "extra", and there is no ${zipFolder}/extra.zip`,
    );
  });

  it('says which variable has no value', async () => {
    await expect(deploy(withFunction('sweep', ['PULLWIRE_NEW']))).rejects.toThrow(
      'relay.json gives the function "sweep" the variable PULLWIRE_NEW',
    );
  });

  it('says which route names a function that does not exist', async () => {
    await expect(deploy(withRoute('extra', { function: 'missing' }))).rejects.toThrow(
      'relay.json names the function "missing" and describes no such function',
    );
  });

  it('says which route answers nothing', async () => {
    await expect(deploy(withRoute('extra', {}))).rejects.toThrow('the route "extra"');
  });
});
