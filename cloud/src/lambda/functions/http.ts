import { systemClock } from '@pullwire/shared';
import { channelToken } from '../../auth/channel-token.ts';
import { BufferedAnswer, StreamedAnswer, type StreamRuntime } from '../answer-way.ts';
import { readAwsPlace } from '../aws-credentials.ts';
import { HttpEnvironment } from '../compose-http.ts';
import { composeOnce } from '../compose-once.ts';
import { readEnvironment } from '../environment.ts';
import type { BufferedHttpResult, CallerEvent, LambdaContext } from '../event.ts';
import { functionIssuers } from '../function-issuers.ts';
import { functionLog } from '../function-log.ts';
import { functionObjects } from '../function-objects.ts';
import { queueBytes } from '../queue-settings.ts';
import { readRelayKeys } from '../read-keys.ts';
import { dialChannel } from '../ws-channel.ts';

const settings = readEnvironment('http', process.env);
const place = readAwsPlace(process.env);
const log = functionLog(settings.logLevel);

const composed = composeOnce(async () => {
  const { linkUrl, deadlineDefaultMs, deadlineMaxMs } = settings;
  const [
    keys,
    { functionRegistry, functionQueueStore, functionTable },
    { gatewayPoster },
    issuers,
  ] = await Promise.all([
    readRelayKeys(settings.secretName, place),
    import('../function-registry.ts'), // while the secret is on its way
    import('../gateway-poster.ts'),
    functionIssuers(settings.issuers),
  ]);
  const audience = new URL(linkUrl).host;
  const token = () => channelToken(keys.channel, audience, systemClock.wall());
  const table = functionTable(settings.table, place);
  const store = functionObjects(settings.bucket, place);
  const environment = new HttpEnvironment({
    registry: functionRegistry(table),
    reader: async () => {
      const { functionReader } = await import('../function-readings.ts');
      return functionReader(table, store, systemClock);
    },
    poster: gatewayPoster(settings.connectionsUrl, place),
    replyKey: keys.replyTo,
    queueStore: functionQueueStore(table),
    uploadKey: keys.upload,
    issuers,
    linkUrl,
    dial: (events) => dialChannel({ url: linkUrl, token }, events),
    clock: systemClock,
    log,
    store,
    settings: { defaultDeadlineMs: deadlineDefaultMs, maxDeadlineMs: deadlineMaxMs },
    queueSettings: {
      ...queueBytes,
      defaultMs: settings.queueDefaultMs,
      maxMs: settings.queueMaxMs,
      keepMs: settings.queueKeepMs,
      perDevice: settings.queuePerDevice,
      perCaller: settings.queuePerCaller,
    },
  });
  environment.channel.open();
  return environment;
});

/** The global of Lambda's own runtime; other hosts of functions have none, and get a buffered answer. */
const { awslambda } = globalThis as { awslambda?: Partial<StreamRuntime> };

const streamed = (runtime: StreamRuntime) =>
  runtime.streamifyResponse(async (event, stream, context) => {
    const way = new StreamedAnswer(runtime, stream);
    await (await composed()).handle(event as CallerEvent, way, context as LambdaContext);
    await way.closed;
  });

async function buffered(event: CallerEvent, context: LambdaContext): Promise<BufferedHttpResult> {
  const way = new BufferedAnswer();
  await (await composed()).handle(event, way, context);
  return way.result;
}

/** Whether it is the runtime's: the AWS SDK makes an empty one where there is none. */
function canStream(runtime: Partial<StreamRuntime> | undefined): runtime is StreamRuntime {
  return typeof runtime?.streamifyResponse === 'function';
}

/** The function URL's, and the REST API's. */
export const handler = canStream(awslambda) ? streamed(awslambda) : buffered;
