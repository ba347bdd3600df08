import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Architecture,
  CreateFunctionCommand,
  LambdaClient,
  type Runtime,
  waitUntilFunctionActiveV2,
} from '@aws-sdk/client-lambda';
import type { FunctionManifest, RelayManifest } from '../relay-manifest.ts';
import type { Ministack } from './ministack.ts';

export interface FunctionPlan {
  readonly name: string;
  readonly zipFolder: string;
  readonly manifest: RelayManifest;
  /** Of every variable that a function may have. */
  readonly values: Readonly<Record<string, string>>;
}

export interface CreatedFunction {
  readonly name: string;
  readonly arn: string;
}

/** By the functions' names in the manifest. */
export type CreatedFunctions = ReadonlyMap<string, CreatedFunction>;

/** ministack looks at no role. */
const role = 'arn:aws:iam::000000000000:role/pullwire-test';

/** Resolves when all can be called. Throws where a zip or the value of a variable is missing. */
export async function createFunctions(
  ministack: Ministack,
  plan: FunctionPlan,
): Promise<CreatedFunctions> {
  const created = Object.entries(plan.manifest.functions).map(async ([key, manifest]) => {
    const code = await readZip(plan.zipFolder, key);
    const environment = environmentOf(key, manifest, plan.values);
    const name = `${plan.name}-${key}`;
    const settings = { ...plan.manifest, ...manifest, name, environment };
    return [key, await createFunction(ministack, code, settings)] as const;
  });
  return new Map(await Promise.all(created));
}

export interface FunctionSettings {
  readonly name: string;
  readonly runtime: string;
  readonly architecture: string;
  readonly handler: string;
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
  readonly environment: Readonly<Record<string, string>>;
}

export async function createFunction(
  ministack: Ministack,
  code: Uint8Array,
  { name, environment, ...settings }: FunctionSettings,
): Promise<CreatedFunction> {
  const client = new LambdaClient(ministack.client);
  try {
    const { FunctionArn } = await client.send(
      new CreateFunctionCommand({
        FunctionName: name,
        Runtime: settings.runtime as Runtime,
        Architectures: [settings.architecture as Architecture],
        Handler: settings.handler,
        Timeout: settings.timeoutSeconds,
        MemorySize: settings.memoryMb,
        Environment: { Variables: { ...environment } },
        Role: role,
        Code: { ZipFile: code },
      }),
    );
    if (FunctionArn === undefined) throw new Error(`function ${name} was created without an ARN`);
    const wait = { client, maxWaitTime: 20, minDelay: 0.05, maxDelay: 0.5 };
    await waitUntilFunctionActiveV2(wait, { FunctionName: name });
    return { name, arn: FunctionArn };
  } finally {
    client.destroy();
  }
}

/** The function that the manifest means; throws where it has none of that name. */
export function functionNamed(functions: CreatedFunctions, key: string): CreatedFunction {
  const found = functions.get(key);
  if (found === undefined) {
    throw new Error(`relay.json names the function "${key}" and describes no such function`);
  }
  return found;
}

async function readZip(folder: string, key: string): Promise<Uint8Array> {
  const file = join(folder, `${key}.zip`);
  try {
    return await readFile(file);
  } catch (cause) {
    throw new Error(`relay.json has the function "${key}", and there is no ${file}`, { cause });
  }
}

function environmentOf(
  key: string,
  { environment }: FunctionManifest,
  values: FunctionPlan['values'],
): Record<string, string> {
  const pairs = environment.map((variable) => {
    const value = values[variable];
    if (value !== undefined) return [variable, value] as const;
    throw new Error(
      `relay.json gives the function "${key}" the variable ${variable}, for which cloud/test/ministack/deploy-relay.ts has no value`,
    );
  });
  return Object.fromEntries(pairs);
}
