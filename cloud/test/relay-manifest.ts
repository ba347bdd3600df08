import { readFileSync } from 'node:fs';

/** `terraform/relay.json`: what the relay consists of on AWS. Terraform reads the same file. */
export interface RelayManifest {
  readonly runtime: string;
  readonly architecture: string;
  readonly handler: string;
  readonly functions: Readonly<Record<string, FunctionManifest>>;
  readonly webSocket: {
    readonly routeSelectionExpression: string;
    readonly authorizer: string;
    readonly routes: Readonly<Record<string, FunctionRoute | MockRoute>>;
  };
  readonly http: { readonly function: string; readonly invokeMode: string };
  readonly schedule: { readonly function: string; readonly expression: string };
  readonly table: {
    readonly partitionKey: string;
    readonly sortKey: string;
    readonly expiryAttribute: string;
    readonly billingMode: string;
    readonly listIndex: {
      readonly name: string;
      readonly partitionKey: string;
      readonly sortKey: string;
      readonly projection: string;
    };
  };
  readonly bucket: {
    readonly prefixes: Readonly<Record<string, string>>;
    readonly expireDays: number;
  };
}

export interface FunctionManifest {
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
  /** Names of its variables. */
  readonly environment: readonly string[];
}

export interface FunctionRoute {
  readonly function: string;
  readonly authorized?: boolean;
}

/** A route without a function: the gateway answers by itself. */
export interface MockRoute {
  readonly requestTemplate: string;
  readonly responseTemplate: string;
}

export function readRelayManifest(): RelayManifest {
  const file = new URL('../../terraform/relay.json', import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')) as RelayManifest;
}
