import { AwsWorld } from '../../cloud/test/aws/aws-world.ts';
import { HandAgent } from './hand-agent.ts';
import { HandDevice } from './hand-device.ts';
import { printOf } from './hand-spool.ts';
import { World } from './world.ts';

export const readingHosts = ['one box', 'strict gateway'] as const;

/** A relay with a device whose agent is the test, on either host. */
export interface ReadingStage {
  readonly device: string;
  /** A link that has said hello; resolves after its welcome. */
  link(): Promise<HandAgent>;
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Response>;
  /** The same with another method. */
  head(path: string, headers?: Readonly<Record<string, string>>): Promise<Response>;
  /** A further caller, with these arguments of `key add`. */
  addKey(source: string): Promise<string>;
  /** The next batch that comes is not answered: the relay dies of it, before it stores it or after. */
  breakNext(when: 'before' | 'after'): void;
  /** The relay is well again, whatever was broken. */
  mended(): Promise<void>;
  stop(): Promise<void>;
}

export function startReadingStage(name: (typeof readingHosts)[number]): Promise<ReadingStage> {
  return name === 'one box' ? onOneBox() : onGateway();
}

async function onOneBox(): Promise<ReadingStage> {
  const world = await World.start({ sources: {} });
  await world.agent.stop();
  let broken = Promise.resolve();
  return {
    device: world.device,
    link: async () => greeted(world.linkUrl, await world.token(), world.device),
    ...requestsOf(world.url, world.callerKey),
    addKey: (source) => world.addKey(['--name', 'few', '--sources', source, '--methods', 'GET']),
    breakNext: (when) => {
      const kill = async () => {
        // An answer to what came behind the batch: by then some of it is stored.
        if (when === 'after') await (await fetch(`${world.url}/health/live`)).text();
        await world.relay.kill();
        await world.startRelay();
      };
      broken = new Promise<void>((resolve) => setImmediate(resolve)).then(kill);
    },
    mended: () => broken,
    stop: () => world.stop(),
  };
}

async function onGateway(): Promise<ReadingStage> {
  const aws = await AwsWorld.start({ seed: 7 });
  const key = await aws.addKey();
  const device = await HandDevice.add(aws, 'plant-7');
  return {
    device: 'plant-7',
    link: async () => greeted(aws.linkUrl, await device.token(), 'plant-7'),
    ...requestsOf(aws.url, key),
    addKey: (source) => aws.addKey([{ devices: ['*'], sources: [source], methods: ['GET'] }]),
    breakNext: (when) => aws.gateway.lambda('message').failNext({ kind: 'crash', when }),
    mended: () => aws.gateway.settled(),
    stop: () => aws.stop(),
  };
}

function requestsOf(url: string, key: string): Pick<ReadingStage, 'get' | 'head'> {
  const ask =
    (method: string): ReadingStage['get'] =>
    (path, headers = {}) =>
      fetch(url + path, { method, headers: { 'Pullwire-Key': key, ...headers } });
  return { get: ask('GET'), head: ask('HEAD') };
}

async function greeted(url: string, token: string, device: string): Promise<HandAgent> {
  const agent = new HandAgent({ url, token });
  if (!(await agent.opened)) throw new Error(JSON.stringify(await agent.closed));
  agent.sendHello(device, { features: ['readings'] });
  const welcome = await agent.next('welcome');
  if (!(welcome['features'] as string[]).includes('readings')) throw new Error('no readings here');
  return agent;
}

/** A reading as callers get it. */
export interface ToldReading {
  readonly schedule: string;
  readonly at: string;
  readonly source: string;
  readonly path: string;
  readonly status?: number;
  readonly headers?: readonly (readonly string[])[];
  readonly length: number;
  readonly encoding?: 'utf-8' | 'base64';
  readonly body?: string;
  readonly fault?: { readonly code: string; readonly detail: string };
}

/** All readings that the relay tells of, page by page as the answers lead. */
export async function readAll(
  stage: Pick<ReadingStage, 'device' | 'get'>,
  query = '',
): Promise<ToldReading[]> {
  const found: ToldReading[] = [];
  const path = `/devices/${stage.device}/readings`;
  let search: string | undefined = `?limit=1000${query}`;
  while (search !== undefined) {
    const answer = await stage.get(path + search, { Accept: 'application/x-ndjson' });
    const text = await answer.text();
    if (answer.status !== 200) throw new Error(`${answer.status}: ${text}`);
    const lines = text.split('\n').filter((line) => line !== '');
    found.push(...lines.map((line) => JSON.parse(line) as ToldReading));
    search = /^<(\?[^>]+)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1];
  }
  return found;
}

export function bodyOf({ encoding, body = '' }: ToldReading): Buffer {
  return Buffer.from(body, encoding === 'base64' ? 'base64' : 'utf8');
}

export function toldPrint(reading: ToldReading): string {
  const { schedule, at } = reading;
  return printOf({ schedule, at: Date.parse(at), body: bodyOf(reading) });
}
