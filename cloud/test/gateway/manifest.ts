import { readRelayManifest } from '../relay-manifest.ts';

/** A WebSocket route: of a function, or without one a MOCK integration that answers from its templates. */
export interface ManifestRoute {
  readonly function?: string;
  /** Whether the authorizer stands before it; `$connect` only. */
  readonly authorized?: boolean;
  readonly requestTemplate?: string;
  readonly responseTemplate?: string;
}

/** What terraform/relay.json says, as far as the gateway plays it. */
export interface RelayManifest {
  readonly functions: Readonly<Record<string, { readonly timeoutSeconds: number }>>;
  readonly webSocket: {
    readonly routeSelectionExpression: string;
    readonly authorizer: string;
    readonly routes: Readonly<Record<string, ManifestRoute>>;
  };
}

/** The file that Terraform reads as well: the gateway has the routes and time-outs that are deployed. */
export function relayManifest(): RelayManifest {
  return readRelayManifest();
}
