import type { LogLevel } from './agent-config.ts';

/** One setting, as convict wants it. `null`: not set. `flag`: the option of `pullwire-agent` that sets it. */
interface SchemaNode {
  readonly doc: string;
  readonly format: string;
  readonly default: unknown;
  readonly nullable?: true;
  readonly env: string;
  readonly flag: string;
  /** Of a `duration`, `count` or `size`: the least and the most. */
  readonly range?: readonly [least: number, most: number];
}

/** The values by their keys, after convict has merged and checked them. */
export interface ConfigValues {
  readonly relay: string;
  readonly device: string;
  readonly instance: string;
  readonly keyFile: string;
  readonly tokenFile: string | null;
  readonly enrollUrl: string | null;
  readonly audience: string | null;
  readonly insecure: boolean;
  readonly ca: string | null;
  readonly encodings: readonly ('bin' | 'json')[];
  readonly uploadHosts: readonly string[];
  readonly heartbeat: { readonly minMs: number; readonly maxMs: number };
  readonly metered: { readonly dailyBytes: number | null };
  readonly redial: { readonly baseMs: number; readonly capMs: number; readonly stableMs: number };
  readonly drainMs: number;
  readonly maxPulls: number;
  readonly controlSocket: string | null;
  readonly health: { readonly listen: string | null; readonly insecure: boolean };
  readonly spool: {
    readonly path: string;
    readonly maxBytes: number;
    readonly maxAgeHours: number;
  };
  readonly log: { readonly level: LogLevel };
}

const hour = 3_600_000;

/** The settings that have one value each; also the source of `--help` and of the README's reference. */
export const configSchema = {
  relay: {
    doc: 'URL of the relay; its path is /link where none is given. An enrolled device knows it.',
    format: 'relay-url',
    default: null,
    env: 'PULLWIRE_AGENT_RELAY',
    flag: '--relay',
  },
  device: {
    doc: 'Id of the device that this agent speaks for. An enrolled device knows it.',
    format: 'device',
    default: null,
    env: 'PULLWIRE_AGENT_DEVICE',
    flag: '--device',
  },
  instance: {
    doc: 'Tells several agents of one device apart.',
    format: 'instance',
    default: 'main',
    env: 'PULLWIRE_AGENT_INSTANCE',
    flag: '--instance',
  },
  keyFile: {
    doc: "The device's private key, as pullwire-agent keygen writes it. Only its owner may read it.",
    format: 'path',
    default: 'device.key',
    env: 'PULLWIRE_AGENT_KEY_FILE',
    flag: '--key-file',
  },
  tokenFile: {
    doc: "File with an issuer's token (JWT), in place of the key; read again for each dial.",
    format: 'path',
    nullable: true,
    default: null,
    env: 'PULLWIRE_AGENT_TOKEN_FILE',
    flag: '--token-file',
  },
  enrollUrl: {
    doc: 'Where a device without a key enrols at its first start (PULLWIRE_ENROLL_CODE), where it is not the host of `relay`.',
    format: 'text',
    nullable: true,
    default: null,
    env: 'PULLWIRE_AGENT_ENROLL_URL',
    flag: '--enroll-url',
  },
  audience: {
    doc: 'Whom the handshake token is for, where it is not the host of `relay`.',
    format: 'text',
    nullable: true,
    default: null,
    env: 'PULLWIRE_AGENT_AUDIENCE',
    flag: '--audience',
  },
  insecure: {
    doc: 'Allow ws:// and http:// off loopback: tokens and data can be read on the way.',
    format: 'switch',
    default: false,
    env: 'PULLWIRE_AGENT_INSECURE',
    flag: '--insecure',
  },
  ca: {
    doc: "File with the authorities (PEM) for the relay's certificate, in place of the system's.",
    format: 'path',
    nullable: true,
    default: null,
    env: 'PULLWIRE_AGENT_CA',
    flag: '--ca',
  },
  encodings: {
    doc: 'Encodings that are offered to the relay, in order of preference: bin, json. With none the link speaks JSON and offers no subprotocol.',
    format: 'encodings',
    default: ['bin', 'json'],
    env: 'PULLWIRE_AGENT_ENCODINGS',
    flag: '--encodings',
  },
  uploadHosts: {
    doc: "Hosts, besides the relay's, at which the relay may have large replies stored; *.example.com for all below.",
    format: 'hosts',
    default: ['*.amazonaws.com', '*.amazonaws.com.cn'],
    env: 'PULLWIRE_AGENT_UPLOAD_HOSTS',
    flag: '--upload-hosts',
  },
  heartbeat: {
    minMs: {
      doc: 'A relay that asks for more frequent pings is not followed below this.',
      format: 'duration',
      range: [1, hour],
      default: 1_000,
      env: 'PULLWIRE_AGENT_HEARTBEAT_MIN',
      flag: '--heartbeat-min',
    },
    maxMs: {
      doc: 'A relay that asks for rarer pings is not followed above this.',
      format: 'duration',
      range: [1, hour],
      default: 600_000,
      env: 'PULLWIRE_AGENT_HEARTBEAT_MAX',
      flag: '--heartbeat-max',
    },
  },
  metered: {
    dailyBytes: {
      doc: 'Each byte of the link costs: keep-alives become as rare as it takes to stay within this many bytes a day. See docs/metered.md.',
      format: 'size',
      range: [1, 1_000_000_000],
      nullable: true,
      default: null,
      env: 'PULLWIRE_AGENT_METERED_DAILY_BYTES',
      flag: '--metered-daily-bytes',
    },
  },
  redial: {
    baseMs: {
      doc: 'Longest first wait before dialling again; it doubles with each failure.',
      format: 'duration',
      range: [1, hour],
      default: 1_000,
      env: 'PULLWIRE_AGENT_REDIAL_BASE',
      flag: '--redial-base',
    },
    capMs: {
      doc: 'Longest wait of all.',
      format: 'duration',
      range: [1, hour],
      default: 60_000,
      env: 'PULLWIRE_AGENT_REDIAL_CAP',
      flag: '--redial-cap',
    },
    stableMs: {
      doc: 'A link that was open this long makes the next failure a first one.',
      format: 'duration',
      range: [1, hour],
      default: 30_000,
      env: 'PULLWIRE_AGENT_REDIAL_STABLE',
      flag: '--redial-stable',
    },
  },
  drainMs: {
    doc: 'How long pulls under way may take to finish when the agent stops.',
    format: 'duration',
    range: [0, hour],
    default: 10_000,
    env: 'PULLWIRE_AGENT_DRAIN',
    flag: '--drain',
  },
  maxPulls: {
    doc: 'Pulls in flight at most, over all sources; more are answered with 429.',
    format: 'count',
    range: [1, 10_000],
    default: 512,
    env: 'PULLWIRE_AGENT_MAX_PULLS',
    flag: '--max-pulls',
  },
  controlSocket: {
    doc: 'Unix socket at which `pullwire-agent status` asks. Not set: `<keyFile>.<instance>.sock`.',
    format: 'path',
    nullable: true,
    default: null,
    env: 'PULLWIRE_AGENT_CONTROL_SOCKET',
    flag: '--control-socket',
  },
  health: {
    listen: {
      doc: 'Where monitors ask for /health/live, /health/ready and /metrics, such as 127.0.0.1:9464. Not set: nowhere. See docs/agent.md.',
      format: 'address',
      nullable: true,
      default: null,
      env: 'PULLWIRE_AGENT_HEALTH_LISTEN',
      flag: '--health-listen',
    },
    insecure: {
      doc: 'Allow `health.listen` off loopback: whoever reaches it can read names of sources and counts, in the clear.',
      format: 'switch',
      default: false,
      env: 'PULLWIRE_AGENT_HEALTH_INSECURE',
      flag: '--health-insecure',
    },
  },
  spool: {
    path: {
      doc: 'Where readings of schedules wait until the relay has stored them. See docs/schedules.md.',
      format: 'path',
      default: 'spool.db',
      env: 'PULLWIRE_AGENT_SPOOL_PATH',
      flag: '--spool-path',
    },
    maxBytes: {
      doc: 'Readings that wait take so much at most; then the oldest are dropped.',
      format: 'size',
      range: [1_048_576, 1_099_511_627_776],
      default: 67_108_864,
      env: 'PULLWIRE_AGENT_SPOOL_MAX_BYTES',
      flag: '--spool-max-bytes',
    },
    maxAgeHours: {
      doc: 'Readings wait so long at most.',
      format: 'count',
      range: [1, 87_600],
      default: 168,
      env: 'PULLWIRE_AGENT_SPOOL_MAX_AGE_HOURS',
      flag: '--spool-max-age-hours',
    },
  },
  log: {
    level: {
      doc: 'trace, debug, info, warn, error, fatal or silent.',
      format: 'log-level',
      default: 'info',
      env: 'PULLWIRE_AGENT_LOG_LEVEL',
      flag: '--log-level',
    },
  },
} as const satisfies Record<string, SchemaNode | Record<string, SchemaNode>>;

/** Settings that are maps, and only in the file. */
export const mapSettings = {
  labels: { doc: 'Names and values by which grants can select the device.', default: {} },
  sources: {
    doc: 'What can be asked, by name; {} for nothing. See docs/sources.md.',
    default: null,
  },
  schedules: {
    doc: 'What is asked for at which times, by name, and sent to the relay. See docs/schedules.md.',
    default: {},
  },
} as const;
