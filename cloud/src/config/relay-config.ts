import type { RelaySettings } from '../server/relay-settings.ts';
import type { IssuerConfig } from './issuer-config.ts';

/** What the relay is set to: read once at the start, checked as a whole, frozen. Times in milliseconds, sizes in bytes. */
export interface RelayConfig extends RelaySettings {
  /** Absolute. */
  readonly dataFolder: string;
  /** Under which agents and callers reach the relay; undefined: as it listens. */
  readonly publicUrl: string | undefined;
  readonly insecure: boolean;
  /** A DynamoDB table in place of the embedded engine. */
  readonly table: TableConfig | undefined;
  /** Of the WebSocket API on AWS whose registry `table` is; for commands. */
  readonly connectionsUrl: string | undefined;
  /** OIDC issuers whose tokens stand for callers and devices. */
  readonly issuers: readonly IssuerConfig[];
  readonly readings: {
    /** For how long a reading is kept after the time at which it was due. */
    readonly retentionDays: number;
    /** Bytes of readings that one device may have stored. */
    readonly bytesPerDay: number;
  };
  /** How long to wait for a relay that runs in the data folder, in milliseconds. */
  readonly takeOverMs: number;
  readonly logLevel: LogLevel;
}

export interface TableConfig {
  readonly name: string;
  readonly region: string;
  /** Undefined: AWS's own for the region. */
  readonly endpoint: string | undefined;
}

export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];
