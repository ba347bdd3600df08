/** What the relay is set to: read once at the start, checked as a whole, frozen. Times in milliseconds, sizes in bytes. */
export interface RelayConfig {
  readonly listen: ListenAddress;
  /** Absolute. */
  readonly dataFolder: string;
  /** Under which agents and callers reach the relay; undefined: as it listens. */
  readonly publicUrl: string | undefined;
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  /** IP addresses and CIDR blocks of proxies in front; `true`: whoever connects is one. */
  readonly trustedProxy: true | readonly string[];
  readonly insecure: boolean;
  /** A DynamoDB table in place of the embedded engine. */
  readonly table: TableConfig | undefined;
  readonly limits: {
    readonly pullsPerLink: number;
    readonly links: number;
    readonly requestBodyBytes: number;
    readonly headBytes: number;
  };
  readonly heartbeat: { readonly intervalMs: number; readonly timeoutMs: number };
  readonly deadline: { readonly defaultMs: number; readonly maxMs: number };
  readonly idleMs: number;
  readonly drainMs: number;
  readonly logLevel: LogLevel;
}

export interface ListenAddress {
  /** A name or an IP address, IPv6 without brackets. */
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
}

export interface TableConfig {
  readonly name: string;
  readonly region: string;
  /** Undefined: AWS's own for the region. */
  readonly endpoint: string | undefined;
}

export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];
