import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiGatewayManagementApiClient } from '@aws-sdk/client-apigatewaymanagementapi';
import { type Clock, type HeartbeatTerms, systemClock } from '@pullwire/shared';
import { logTo } from '@pullwire/shared/process-log';
import type { Logger } from 'pino';
import { generateCallerKey } from '../../src/auth/caller-key.ts';
import { channelToken } from '../../src/auth/channel-token.ts';
import type { Issuers } from '../../src/auth/issuers.ts';
import { StreamedAnswer, type StreamRuntime } from '../../src/lambda/answer-way.ts';
import { composeAuthorizer } from '../../src/lambda/compose-authorizer.ts';
import { composeConnect } from '../../src/lambda/compose-connect.ts';
import { composeDisconnect } from '../../src/lambda/compose-disconnect.ts';
import { HttpEnvironment } from '../../src/lambda/compose-http.ts';
import { composeMessage } from '../../src/lambda/compose-message.ts';
import { functionIssuers } from '../../src/lambda/function-issuers.ts';
import { functionReader } from '../../src/lambda/function-readings.ts';
import { functionReceiver } from '../../src/lambda/function-receiver.ts';
import { GatewayPoster } from '../../src/lambda/gateway-poster.ts';
import { queueBytes } from '../../src/lambda/queue-settings.ts';
import { relayKeys } from '../../src/lambda/relay-secret.ts';
import { dialChannel } from '../../src/lambda/ws-channel.ts';
import { FolderObjectDoor } from '../../src/object/folder-object-door.ts';
import { FolderObjectStore } from '../../src/object/folder-object-store.ts';
import { objectPrefixes } from '../../src/object/object-prefix.ts';
import { DynamoQueueStore } from '../../src/queue/dynamo-queue-store.ts';
import type { QueueSettings } from '../../src/queue/queue-settings.ts';
import type { DynamoTable } from '../../src/registry/dynamo-call.ts';
import { DynamoRegistry } from '../../src/registry/dynamo-registry.ts';
import type { Grant } from '../../src/registry/registry.ts';
import { dataFolder } from '../../src/server/data-folder.ts';
import { type TemporaryEngine, temporaryEngine } from '../../src/server/temporary-engine.ts';
import { createAwsLambda } from '../gateway/aws-lambda.ts';
import { FunctionUrl } from '../gateway/function-url.ts';
import type { FunctionUrlSwitches } from '../gateway/function-url-switches.ts';
import type { GatewayUrls, StrictGatewayOptions } from '../gateway/gateway-options.ts';
import { LambdaEmulator } from '../gateway/lambda-emulator.ts';
import type { Compose, LambdaEnvironment } from '../gateway/lambda-environment.ts';
import type { StreamingHandler } from '../gateway/lambda-handler.ts';
import { StrictGateway } from '../gateway/strict-gateway.ts';
import { TableMeter } from './table-meter.ts';

export interface AwsWorldOptions
  extends Pick<StrictGatewayOptions, 'seed' | 'delayMs' | 'switches'> {
  /** Of the http function; without it as many as are needed. */
  readonly httpEnvironments?: number;
  readonly urlSwitches?: Partial<FunctionUrlSwitches>;
  readonly clock?: Clock;
  /** That of the http function alone, where it differs. */
  readonly httpClock?: Clock;
  /** As they stand in `PULLWIRE_ISSUERS`. */
  readonly issuers?: readonly unknown[];
  /** When agents are told to have their next link; `switches.lifeMs` is when the gateway ends one. */
  readonly linkLifeMs?: number;
  /** How agents prove their path; once in 5 minutes unless said. */
  readonly heartbeat?: HeartbeatTerms;
  /** That one device may have stored a day; much unless said. */
  readonly readingBytesPerDay?: number;
}

const queueSettings: QueueSettings = {
  ...queueBytes,
  ...{ defaultMs: 86_400_000, maxMs: 604_800_000, keepMs: 86_400_000 },
  ...{ perDevice: 100, perCaller: 1_000 },
};
const everything: Grant[] = [{ devices: ['*'], sources: ['*'], methods: ['*'], manage: true }];

/** As the one-box server's is called: so the operator's commands find it through the engine's folder. */
export const tableName = 'pullwire';

/** The relay's AWS side on the strict gateway: our functions, a real DynamoDB engine, a function URL. */
export class AwsWorld {
  readonly table = new TableMeter();
  /** Every line that a function logged, parsed. */
  readonly log: Record<string, unknown>[] = [];
  readonly registry: DynamoRegistry;
  readonly queueStore: DynamoQueueStore;
  /** Environments of the http function, the oldest first. */
  readonly httpEnvironments: HttpEnvironment[] = [];
  gateway!: StrictGateway;
  http!: LambdaEmulator;
  #url!: FunctionUrl;
  readonly #options: AwsWorldOptions;
  readonly #looks = new Set<() => void>();
  readonly #engine: TemporaryEngine;
  readonly #client;
  readonly #table: DynamoTable;
  objects!: FolderObjectStore;
  #objectServer!: Server;
  #objectFolder = '';
  /** What the functions derive their keys from. */
  readonly secret = randomBytes(48).toString('base64url');
  readonly #keys = relayKeys(this.secret);
  #issuers: Issuers | undefined;

  private constructor(options: AwsWorldOptions, engine: TemporaryEngine) {
    this.#options = options;
    this.#engine = engine;
    this.#client = engine.engine.createClient();
    this.table.watch(this.#client);
    this.#table = { client: this.#client, name: tableName };
    this.queueStore = new DynamoQueueStore(this.#table);
    this.registry = new DynamoRegistry({ ...this.#table, mayCreateTable: true });
  }

  static async start(options: AwsWorldOptions = {}): Promise<AwsWorld> {
    const world = new AwsWorld(options, await temporaryEngine());
    await world.registry.ensureSchema();
    await world.#open();
    return world;
  }

  /** Where callers ask, without a slash at the end. */
  get url(): string {
    return this.#url.url;
  }

  get linkUrl(): string {
    return this.gateway.linkUrl;
  }

  /** Of the table's engine: `--data` of the operator's commands. */
  get dataFolder(): string {
    return this.#engine.dataFolder;
  }

  /** The Unix socket of the table's engine. */
  get enginePath(): string {
    return dataFolder(this.#engine.dataFolder).serverSocket;
  }

  /** `publicKey` as `keygen` prints it. */
  async addDevice(device: string, publicKey: string): Promise<void> {
    await this.registry.addDevice({ device, publicKey, labels: {}, createdAt: Date.now() });
  }

  /** Returns the key itself. */
  async addKey(grants: Grant[] = everything): Promise<string> {
    const { id, key, hash, prefix } = generateCallerKey();
    await this.registry.addKey({ id, name: 'ops', hash, prefix, grants, createdAt: Date.now() });
    return key;
  }

  async stop(): Promise<void> {
    await this.#url.stop();
    this.http.retire();
    await this.gateway.stop();
    this.#objectServer.close();
    this.#objectServer.closeAllConnections();
    await rm(this.#objectFolder, { recursive: true });
    this.#client.destroy();
    await this.#engine.remove();
  }

  async #open(): Promise<void> {
    const {
      clock = systemClock,
      httpClock = clock,
      httpEnvironments,
      urlSwitches,
      delayMs,
      issuers = [],
      ...rest
    } = this.#options;
    this.#issuers = await functionIssuers(issuers);
    this.gateway = await StrictGateway.start({
      ...rest,
      clock,
      ...(delayMs === undefined ? {} : { delayMs }),
      functions: (urls) => this.#functions(urls),
    });
    await this.#openObjects(clock);
    const runtime = createAwsLambda();
    this.http = new LambdaEmulator({
      name: 'http',
      ...(httpEnvironments === undefined ? {} : { maxEnvironments: httpEnvironments }),
      clock: httpClock,
      timeoutMs: 900_000,
      compose: (environment) => this.#composeHttp(environment, runtime as unknown as StreamRuntime),
    });
    this.#url = await FunctionUrl.start({
      emulator: this.http,
      clock,
      ...(urlSwitches === undefined ? {} : { switches: urlSwitches }),
      ...(delayMs === undefined ? {} : { delayMs }),
    });
  }

  /** A folder stands for the bucket: its signed URLs are as strict. */
  async #openObjects(clock: Clock): Promise<void> {
    this.#objectFolder = await mkdtemp(join(tmpdir(), 'pullwire-objects-'));
    this.#objectServer = createServer((request, response) => void door.serve(request, response));
    await new Promise<void>((done) => this.#objectServer.listen(0, '127.0.0.1', done));
    const { port } = this.#objectServer.address() as AddressInfo;
    this.objects = new FolderObjectStore({
      folder: this.#objectFolder,
      baseUrl: () => `http://127.0.0.1:${port}`,
      secret: randomBytes(32),
      clock,
      newId: () => randomBytes(16).toString('base64url'),
    });
    const door = new FolderObjectDoor(this.objects, clock);
    await this.objects.start();
  }

  #functions(urls: GatewayUrls): Record<string, Compose> {
    const { registry } = this;
    const audience = new URL(urls.linkUrl).host;
    return {
      authorizer: ({ clock }) =>
        composeAuthorizer({
          registry,
          issuers: this.#issuers,
          channelKey: this.#keys.channel,
          audience,
          tokenInQuery: false,
          clock,
          log: this.#logOf('authorizer'),
        }),
      connect: () => composeConnect({ registry, log: this.#logOf('connect') }),
      disconnect: () => composeDisconnect({ registry, log: this.#logOf('disconnect') }),
      message: ({ clock }) =>
        composeMessage({
          registry,
          store: this.queueStore,
          objects: async () => this.objects,
          readings: async () =>
            functionReceiver({
              table: this.#table,
              bodies: this.objects,
              retentionDays: 30,
              bytesPerDay: this.#options.readingBytesPerDay ?? 268_435_456,
              clock,
              log: this.#logOf('message'),
            }),
          poster: this.#poster(urls),
          replyKey: this.#keys.replyTo,
          clock,
          log: this.#logOf('message'),
          ...(this.#options.linkLifeMs !== undefined && { lifeMs: this.#options.linkLifeMs }),
          ...(this.#options.heartbeat !== undefined && { heartbeat: this.#options.heartbeat }),
        }),
    };
  }

  #composeHttp(environment: LambdaEnvironment, runtime: StreamRuntime): StreamingHandler {
    const { clock } = environment;
    const { linkUrl } = this.gateway;
    // Where the test sets the function's clock forward, the authorizer's stands.
    const { wall } = this.#options.clock ?? systemClock;
    const token = () => channelToken(this.#keys.channel, new URL(linkUrl).host, wall());
    const http = new HttpEnvironment({
      registry: this.registry,
      reader: async () => functionReader(this.#table, this.objects, clock),
      issuers: this.#issuers,
      linkUrl,
      poster: this.#poster(this.gateway),
      replyKey: this.#keys.replyTo,
      queueStore: this.queueStore,
      queueSettings,
      uploadKey: this.#keys.upload,
      dial: async (events) => {
        const channel = await dialChannel({ url: linkUrl, token }, events);
        environment.own(channel.socket);
        return channel;
      },
      clock,
      log: this.#logOf('http'),
      store: this.objects,
      settings: { defaultDeadlineMs: 30_000, maxDeadlineMs: 600_000 },
    });
    http.channel.open();
    this.httpEnvironments.push(http);
    return runtime.streamifyResponse(async (event, stream, context) => {
      const way = new StreamedAnswer(runtime, stream);
      await http.handle(event as never, way, context as never);
      await way.closed;
    }) as StreamingHandler;
  }

  #poster({ connectionsUrl }: GatewayUrls): GatewayPoster {
    return new GatewayPoster(
      new ApiGatewayManagementApiClient({
        endpoint: connectionsUrl,
        region: 'eu-central-1',
        credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'planted' },
        maxAttempts: 1,
      }),
    );
  }

  /** Keys of what lies in the object storage once no invocation runs any more. */
  async storedObjects(): Promise<string[]> {
    const keys: string[] = [];
    for (const prefix of Object.values(objectPrefixes)) {
      for await (const key of this.objects.olderThan(prefix, Number.POSITIVE_INFINITY))
        keys.push(key);
    }
    return keys;
  }

  /** Resolves when so many lines with this message have been logged, since the start. */
  logged(msg: string, count = 1): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (this.log.filter((line) => line['msg'] === msg).length < count) return;
        this.#looks.delete(look);
        resolve();
      };
      this.#looks.add(look);
      look();
    });
  }

  #logOf(name: string): Logger {
    const write = (line: string) => {
      this.log.push({ function: name, ...(JSON.parse(line) as Record<string, unknown>) });
      for (const look of this.#looks) look();
    };
    return logTo({ write }, 'debug');
  }
}
