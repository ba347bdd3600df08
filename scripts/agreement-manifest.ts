import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from './command.ts';

export interface ManifestFunction {
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
  readonly environment: readonly string[];
}

/** Of a function, or without one answered by the gateway from its templates. */
export interface ManifestRoute {
  readonly function?: string;
  readonly authorized?: boolean;
  readonly requestTemplate?: string;
  readonly responseTemplate?: string;
}

/** The whole of terraform/relay.json. */
export interface RelayManifest {
  readonly runtime: string;
  readonly architecture: string;
  readonly handler: string;
  readonly functions: Readonly<Record<string, ManifestFunction>>;
  readonly webSocket: {
    readonly routeSelectionExpression: string;
    readonly authorizer: string;
    readonly routes: Readonly<Record<string, ManifestRoute>>;
  };
  readonly http: { readonly function: string; readonly invokeMode: string };
  readonly schedule: { readonly function: string; readonly expression: string };
  readonly table: Readonly<Record<string, unknown>>;
  readonly bucket: {
    readonly prefixes: Readonly<Record<string, string>>;
    readonly expireDays: number;
  };
}

export async function readManifest(): Promise<RelayManifest> {
  return JSON.parse(await readFile(join(ROOT, 'terraform/relay.json'), 'utf8')) as RelayManifest;
}
