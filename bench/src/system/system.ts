import type { Daemon } from '../process/daemon.ts';

export const systemNames = [
  'direct',
  'nginx',
  'pullwire',
  'pullwire-tls',
  'bare',
  'ssh',
  'rathole',
  'bore',
] as const;
export type SystemName = (typeof systemNames)[number];

/** One way from a caller to the origin, up and running. */
export interface System {
  readonly name: SystemName;
  /** For the head of a table's column. */
  readonly title: string;
  /** Where the origin's `/` is, without the slash. */
  readonly baseUrl: string;
  /** Headers that a caller must send, a line each as `curl -H @file` reads them; 0600. */
  readonly headerFile?: string;
  /** PEM, where the caller's side is TLS. */
  readonly caFile?: string;
  /** Its own processes, whose CPU time and memory are counted: the origin's only where it is the system itself. */
  readonly daemons: readonly Daemon[];
}

/** Why a system cannot be measured here. */
export interface Skip {
  readonly name: SystemName;
  readonly why: string;
}
