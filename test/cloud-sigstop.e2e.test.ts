import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AwsWorld, tableName } from '../cloud/test/aws/aws-world.ts';
import { LocalServices } from '../cloud/test/aws/local-services.ts';
import { queueEnvironment } from '../cloud/test/aws/queue-environment.ts';
import { StoppableFunction } from '../cloud/test/aws/stoppable-function.ts';
import { Fleet } from './src/fleet.ts';
import { HashOrigin } from './src/hash-origin.ts';

const zip = fileURLToPath(new URL('../cloud/dist/lambda/http.zip', import.meta.url));
const rounds = 20;

describe('the http function as it ships, in a process that is stopped between invocations', () => {
  const origin = new HashOrigin();
  const fleet = new Fleet();
  let aws: AwsWorld;
  let services: LocalServices;
  let http: StoppableFunction;
  let key = '';

  beforeAll(async () => {
    const url = await origin.start();
    aws = await AwsWorld.start();
    key = await aws.addKey();
    const allow = [{ paths: ['/**'], methods: ['POST'] }];
    await fleet.grow(aws, 1, { web: { kind: 'http', url, allow } });
    services = await LocalServices.start(aws.enginePath, aws.secret);
    http = await StoppableFunction.start(zip, {
      ...services.environment,
      ...queueEnvironment,
      PATH: process.env['PATH'] ?? '',
      PULLWIRE_BUCKET: 'objects',
      PULLWIRE_CONNECTIONS_URL: aws.gateway.connectionsUrl,
      PULLWIRE_DEADLINE_DEFAULT_MS: '10000',
      PULLWIRE_DEADLINE_MAX_MS: '60000',
      PULLWIRE_LINK_URL: aws.linkUrl,
      PULLWIRE_ISSUERS: '[]',
      PULLWIRE_LOG_LEVEL: 'warn',
      PULLWIRE_SECRET: '/pullwire/secret',
      PULLWIRE_TABLE: tableName,
    });
  });

  afterAll(async () => {
    await http?.stop();
    services?.stop();
    await fleet.stop();
    await aws?.stop();
    origin.stop();
  });

  /** `right`, or what came instead. */
  async function ask(body: string): Promise<string> {
    const path = '/devices/plant-1/sources/web/x';
    const { statusCode, body: answer } = await http.invoke({
      version: '2.0',
      rawPath: path,
      rawQueryString: '',
      headers: { 'pullwire-key': key },
      requestContext: {
        domainName: 'd',
        requestId: 'r',
        timeEpoch: Date.now(),
        http: { method: 'POST', path, protocol: 'HTTP/1.1', sourceIp: '127.0.0.1' },
      },
      body,
      isBase64Encoded: false,
    });
    const bytes = Buffer.from(answer, 'base64');
    if (bytes.equals(HashOrigin.replyOf(body))) return 'right';
    return `${statusCode} ${bytes.toString().slice(0, 400)}`;
  }

  /** The open channel of the function; it dials another when this one is gone. */
  function channel() {
    const open = aws.gateway.connections.filter(
      ({ authorizer }) => authorizer?.['role'] === 'channel',
    );
    const last = open.at(-1);
    if (last === undefined) throw new Error('the function has no channel');
    return last;
  }

  test(`${rounds} rounds, its channel dead or late frames waiting: no wrong, lost or crossed answer`, async () => {
    for (let round = 0; round < rounds; round += 1) {
      const id = `round-${round}`;
      const body = `${id} ${'z'.repeat(round * 1_500)}`;
      expect([round, await ask(body), origin.executed.get(id)]).toEqual([round, 'right', 1]);
      await aws.gateway.settled();
      if (round % 3 === 1) aws.gateway.cut(channel().id);
      if (round % 3 === 2) {
        // A frame of a pull that ended, and words of the gateway, lie there when it thaws.
        const late = { action: 'end', pullId: 'AAECAwQFBgcICQoLDA0ODw', replyTo: 'r', seq: 1 };
        channel().send(Buffer.from(JSON.stringify(late)));
        channel().send(Buffer.from('{"message":"Internal server error","connectionId":"c"}'));
      }
    }
  });
});
