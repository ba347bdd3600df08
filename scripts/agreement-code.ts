import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codecFor } from '@pullwire/shared';
import { build, type Metafile } from 'esbuild';
import { configSchema } from '../cloud/src/config/config-schema.ts';
import { functionVariables, readEnvironment } from '../cloud/src/lambda/environment.ts';
import { objectPrefixes } from '../cloud/src/object/object-prefix.ts';
import type { ObjectStore } from '../cloud/src/object/object-store.ts';
import { tableDefinition } from '../cloud/src/registry/dynamo-table.ts';
import { type TableUse, tableUses } from './agreement-registry.ts';
import { ROOT } from './command.ts';
import { stubEnvironment } from './lambda-stub-environment.ts';

/** What a function's code says about it. */
export interface FunctionFacts {
  /** The type of the event that it takes (cloud/src/lambda/event.ts); undefined where it looks at none. */
  readonly event: string | undefined;
  /** The variables that it reads. */
  readonly variables: readonly string[];
  /** IAM actions on the table. */
  readonly tableActions: readonly string[];
  readonly readsIndex: boolean;
  /** IAM actions on objects and on the bucket. */
  readonly objectActions: readonly string[];
  /** IAM actions on bodies of readings. */
  readonly readingActions: readonly string[];
  readonly bucketActions: readonly string[];
  readonly usesTable: boolean;
  readonly usesBucket: boolean;
  readonly posts: boolean;
  readonly readsSecret: boolean;
}

export interface CodeFacts {
  readonly functions: Readonly<Record<string, FunctionFacts>>;
  /** The longest deadline that the http function takes (milliseconds). */
  readonly longestDeadlineMs: number;
  /** What the one-box server is set to where nobody sets it, by dotted names. */
  readonly defaults: Readonly<Record<string, number>>;
  readonly table: Readonly<Record<string, unknown>>;
  readonly prefixes: Readonly<Record<string, string>>;
  /** The field of a message that says what it is. */
  readonly routedBy: string;
}

const cloud = join(ROOT, 'cloud');
const entries = 'src/lambda/functions';

/** Service Authorization Reference, "Actions, resources, and condition keys for Amazon S3"; `signing` allows nothing. */
const storeActions = {
  presignPut: 'PutObject',
  beginMultipart: 'PutObject',
  presignPart: 'PutObject',
  completeMultipart: 'PutObject',
  abortMultipart: 'AbortMultipartUpload',
  put: 'PutObject',
  open: 'GetObject',
  head: 'GetObject',
  presignGet: 'GetObject',
  claim: 'PutObject',
  remove: 'DeleteObject',
  olderThan: 'ListBucket',
  unfinishedBefore: 'ListBucketMultipartUploads',
} as const satisfies Record<keyof ObjectStore, string>;

export async function readCode(): Promise<CodeFacts> {
  const uses = new Map([
    ...(await tableUses('registry', 'dynamo-registry.ts', 'registry')),
    ...(await tableUses('reading', 'dynamo-reading-table.ts', 'readingTable')),
    ...(await tableUses('queue', 'dynamo-queue-store.ts', 'store')),
  ]);
  const names = (await readdir(join(cloud, entries)))
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => file.slice(0, -'.ts'.length));
  const facts = names.map(async (name) => [name, await factsOf(name, uses)] as const);
  return {
    functions: Object.fromEntries(await Promise.all(facts)),
    longestDeadlineMs: longestDeadline(),
    defaults: numbersIn(configSchema),
    table: tableDefinition,
    prefixes: objectPrefixes,
    routedBy: routedBy(),
  };
}

function numbersIn(schema: object, path = ''): Record<string, number> {
  const entries = Object.entries(schema).flatMap(([key, inner]: [string, unknown]) => {
    if (typeof inner !== 'object' || inner === null) return [];
    if (!('default' in inner)) return Object.entries(numbersIn(inner, `${path}${key}.`));
    return typeof inner.default === 'number' ? [[`${path}${key}`, inner.default] as const] : [];
  });
  return Object.fromEntries(entries);
}

async function factsOf(name: string, uses: Map<string, TableUse>): Promise<FunctionFacts> {
  const { text, files } = await reachedBy(name);
  const has = (file: string): boolean => files.some((path) => path.endsWith(file));
  // Of a `store` that holds objects the methods have other names than of one that holds queued pulls.
  const tables = ['registry', 'readingTable', 'store'].flatMap((what) =>
    called(text, what).flatMap((method) => uses.get(`${what}.${method}`) ?? []),
  );
  const hasStore = has('object/s3-object-store.ts');
  const objects = hasStore ? storeUse(called(text, 'store')) : [];
  const bodies = hasStore ? storeUse(called(text, 'bodies')) : [];
  const onBucket = objects.filter((action) => action.startsWith('ListBucket'));
  // Without the right to list, S3 says of an object that is not there that it is refused.
  if (objects.includes('GetObject')) onBucket.push('ListBucket');
  return {
    event: await eventOf(name),
    variables: (functionVariables as Record<string, readonly string[]>)[name] ?? [],
    tableActions: unique(tables.flatMap(({ actions }) => actions)),
    readsIndex: tables.some(({ readsIndex }) => readsIndex),
    objectActions: unique(objects.filter((action) => !action.startsWith('ListBucket'))),
    readingActions: unique(bodies),
    bucketActions: unique(onBucket),
    usesTable: has('registry/dynamo-registry.ts'),
    usesBucket: has('object/s3-object-store.ts'),
    posts: has('lambda/gateway-poster.ts'),
    readsSecret: has('lambda/ssm-secret.ts'),
  };
}

/** The function's bundle as text, without what it cannot reach, and the files that are in it. */
async function reachedBy(name: string): Promise<{ text: string; files: string[] }> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: cloud,
    entryPoints: [`${entries}/${name}.ts`],
    outfile: `${name}.mjs`,
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    // A package in it would only make it long: what counts is our own code.
    external: ['@aws-sdk/*', 'pino', 'ws', 'jose', 'valibot'],
    logLevel: 'silent',
  });
  return { text: outputFiles[0]?.text ?? '', files: filesIn(metafile) };
}

function filesIn({ outputs }: Metafile): string[] {
  return Object.values(outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? path : [])),
  );
}

/** Methods that are called of what is named so, wherever it was passed to: `registry`, `this.#registry`, `registry2`. */
function called(text: string, what: string): string[] {
  const calls = text.matchAll(new RegExp(`${what}\\d*\\??\\.(\\w+)`, 'gi'));
  return unique([...calls].map(([, method = '']) => method));
}

function storeUse(methods: readonly string[]): string[] {
  const actions: Readonly<Record<string, string>> = storeActions;
  return methods.flatMap((method) => actions[method] ?? []);
}

async function eventOf(name: string): Promise<string | undefined> {
  const text = await readFile(join(cloud, 'src/lambda', `${name}.ts`), 'utf8').catch(() => '');
  const imported = /import type \{([^}]*)\} from '\.\/event\.ts';/.exec(text)?.[1] ?? '';
  return /\b\w+Event\b/.exec(imported)?.[0];
}

/** By asking the function's own reader: the greatest power of ten is too much, then half by half. */
function longestDeadline(): number {
  let [fits, over] = [1, 1_000_000_000];
  while (over - fits > 1) {
    const middle = Math.floor((fits + over) / 2);
    if (takesDeadline(middle)) fits = middle;
    else over = middle;
  }
  return fits;
}

function takesDeadline(ms: number): boolean {
  const deadlines = { PULLWIRE_DEADLINE_DEFAULT_MS: '1', PULLWIRE_DEADLINE_MAX_MS: String(ms) };
  try {
    readEnvironment('http', { ...stubEnvironment, ...deadlines });
    return true;
  } catch {
    return false;
  }
}

function routedBy(): string {
  const action = 'keep-alive';
  const text = codecFor('pullwire.v1+json').encode({ action }) as string;
  const fields = Object.entries(JSON.parse(text) as Record<string, unknown>);
  return fields.find(([, value]) => value === action)?.[0] ?? 'none';
}

const unique = (names: readonly string[]): string[] => [...new Set(names)].sort();
