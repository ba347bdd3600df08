import type { HeartbeatTerms } from '@pullwire/shared';
import type { ListenAddress } from '@pullwire/shared/listen-address';
import type { QueueSettings } from '../queue/queue-settings.ts';
import type { CertificateFiles } from './certificate.ts';
import type { TrustedProxy } from './remote-address.ts';

/** What the one-box server is set to; times in milliseconds, sizes in bytes. */
export interface RelaySettings {
  readonly listen: ListenAddress;
  /** Where `/metrics` is asked for; undefined: nowhere. */
  readonly metrics?: ListenAddress | undefined;
  readonly tls: CertificateFiles | undefined;
  readonly trustedProxy: TrustedProxy;
  readonly limits: {
    readonly pullsPerLink: number;
    readonly pullsPerCaller: number;
    readonly links: number;
    readonly requestBodyBytes: number;
    readonly headBytes: number;
  };
  readonly heartbeat: HeartbeatTerms;
  readonly deadline: { readonly defaultMs: number; readonly maxMs: number };
  readonly queue: QueueSettings;
  /** How long a link may live; 0: without end. */
  readonly linkLifeMs: number;
  readonly idleMs: number;
  readonly drainMs: number;
}
