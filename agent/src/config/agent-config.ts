import type { Subprotocol } from '@pullwire/shared';
import type { ListenAddress } from '@pullwire/shared/listen-address';
import type { ScheduleConfigs } from '../schedule/schedule-config.ts';
import type { SourceConfigs } from '../source/source-config.ts';

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** The agent's configuration, whole and checked. Paths are absolute; times are in milliseconds. */
export interface AgentConfig {
  /** `ws:` or `wss:`, with its path. */
  readonly relay: string;
  readonly device: string;
  readonly instance: string;
  readonly keyFile: string;
  /** An issuer's token in place of the key. */
  readonly tokenFile: string | null;
  readonly enrollUrl: string | null;
  readonly audience: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly insecure: boolean;
  /** PEM: the authorities that the relay's certificate is checked against, in place of the system's. */
  readonly ca: string | undefined;
  /** In order of preference; none: no subprotocol is offered, and the link speaks JSON. */
  readonly subprotocols: readonly Subprotocol[];
  /** Hosts, besides the relay's, at which the relay may have large replies stored. */
  readonly uploadHosts: readonly string[];
  readonly heartbeat: { readonly minMs: number; readonly maxMs: number };
  /** What keep-alives may cost a day; null: the link is not metered. */
  readonly metered: { readonly dailyBytes: number | null };
  readonly redial: { readonly baseMs: number; readonly capMs: number; readonly stableMs: number };
  readonly drainMs: number;
  readonly maxPulls: number;
  /** Absolute: where `status` asks. */
  readonly controlSocket: string;
  readonly health: {
    /** Where monitors ask; null: nowhere. */
    readonly listen: ListenAddress | null;
    /** Off loopback too. */
    readonly insecure: boolean;
  };
  readonly log: { readonly level: LogLevel };
  /** Where readings wait for the relay, and what of them at most. */
  readonly spool: {
    readonly path: string;
    readonly maxBytes: number;
    readonly maxAgeHours: number;
  };
  readonly sources: SourceConfigs;
  readonly schedules: ScheduleConfigs;
}
