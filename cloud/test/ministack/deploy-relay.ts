import { randomBytes } from 'node:crypto';
import { queueEnvironment } from '../aws/queue-environment.ts';
import { type RelayManifest, readRelayManifest } from '../relay-manifest.ts';
import { deployBucket } from './deploy-bucket.ts';
import { createFunctions, type FunctionPlan } from './deploy-functions.ts';
import { deployHttp } from './deploy-http.ts';
import { deploySecret } from './deploy-secret.ts';
import { deployTable } from './deploy-table.ts';
import { createWebSocketApi, deployRoutes } from './deploy-web-socket.ts';
import type { Ministack } from './ministack.ts';

export interface RelayPlan {
  /** Where `<function>.zip` of each function is. */
  readonly zipFolder: string;
  /** In every name; several relays on one ministack need several. */
  readonly name?: string;
  readonly stage?: string;
  /** Values of variables of the manifest in place of the usual ones. */
  readonly environment?: Readonly<Record<string, string>>;
  /** In place of `terraform/relay.json`. */
  readonly manifest?: RelayManifest;
  /** In place of ministack's own address in every URL: that of a `Tap` before it. */
  readonly origin?: string;
}

/** The relay as it stands on ministack. */
export interface RelayOnMinistack {
  /** Where agents dial: `ws://…/{stage}`. ministack itself answers no subprotocol; a `Tap` before it does. */
  readonly linkUrl: string;
  /** The function URL, without a slash at its end: append the path. */
  readonly httpUrl: string;
  readonly connectionsUrl: string;
  readonly table: string;
  readonly bucket: string;
  readonly secretName: string;
  /** Names of the functions on ministack, by their names in the manifest. */
  readonly functions: Readonly<Record<string, string>>;
  readonly region: string;
  readonly endpoint: string;
}

/**
 * Creates with the SDK what Terraform creates on AWS, out of the same manifest. Roles, permissions, alarms and the
 * schedule are left out: ministack looks at none of them (`AUTH=false`), and a sweep is asked for by `invokeFunction`.
 *
 * @throws Error where a function, variable or route of the manifest cannot be deployed.
 */
export async function deployRelay(
  ministack: Ministack,
  plan: RelayPlan,
): Promise<RelayOnMinistack> {
  const { name = 'pullwire', stage = 'live', manifest = readRelayManifest() } = plan;
  const { endpoint, region } = ministack;
  const origin = plan.origin ?? endpoint;
  const [table, bucket, secretName, apiId] = await Promise.all([
    deployTable(ministack, name, manifest.table),
    deployBucket(ministack, name, manifest.bucket),
    deploySecret(ministack, `/${name}/secret`, randomBytes(32).toString('base64url')),
    createWebSocketApi(ministack, name, manifest.webSocket),
  ]);
  const address = `${origin}/_aws/execute-api/${apiId}/${stage}`;
  const addresses = { linkUrl: address.replace(/^http/, 'ws'), connectionsUrl: address };
  const places = { table, bucket, secretName, ...addresses };
  const functionPlan: FunctionPlan = {
    name,
    zipFolder: plan.zipFolder,
    manifest,
    values: { ...usualEnvironment(places), ...plan.environment },
  };
  const functions = await createFunctions(ministack, functionPlan);
  const [httpPath] = await Promise.all([
    deployHttp(ministack, manifest, functions),
    deployRoutes(ministack, { apiId, stage, name, manifest, functions }),
  ]);
  const names = Object.fromEntries([...functions].map(([key, made]) => [key, made.name]));
  return { ...places, httpUrl: origin + httpPath, functions: names, region, endpoint };
}

type Places = Pick<
  RelayOnMinistack,
  'table' | 'bucket' | 'secretName' | 'linkUrl' | 'connectionsUrl'
>;

/** A value for each variable that the manifest names. */
function usualEnvironment(places: Places): Record<string, string> {
  return {
    PULLWIRE_BUCKET: places.bucket,
    PULLWIRE_CONNECTIONS_URL: places.connectionsUrl,
    PULLWIRE_DEADLINE_DEFAULT_MS: '30000',
    PULLWIRE_DEADLINE_MAX_MS: '600000',
    PULLWIRE_ISSUERS: '[]',
    PULLWIRE_LINK_URL: places.linkUrl,
    PULLWIRE_LOG_LEVEL: 'info',
    ...queueEnvironment,
    PULLWIRE_READINGS_BYTES_PER_DAY: '268435456',
    PULLWIRE_RETENTION_DAYS: '30',
    PULLWIRE_SECRET: places.secretName,
    PULLWIRE_TABLE: places.table,
    PULLWIRE_TOKEN_IN_QUERY: 'false',
  };
}
