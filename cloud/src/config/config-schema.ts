import { leastQuotaBytes, mostQuotaBytes } from '../reading/reading-limit.ts';

/**
 * The settings of the relay, as convict wants them; also the source of `--help` and the README's reference. `null`:
 * not set. `flag`: the option that sets it, in commander's words.
 */
export const configSchema = {
  listen: {
    doc: 'Where agents and callers connect. Off loopback it also takes tls, trustedProxy or insecure.',
    format: 'address',
    default: '127.0.0.1:8080',
    env: 'PULLWIRE_RELAY_LISTEN',
    flag: '--listen <host:port>',
  },
  metrics: {
    listen: {
      doc: 'Where Prometheus asks for /metrics, such as 127.0.0.1:9465: a port of its own, without keys. Not set: nowhere.',
      format: 'address',
      nullable: true,
      default: null,
      env: 'PULLWIRE_RELAY_METRICS_LISTEN',
      flag: '--metrics-listen <host:port>',
    },
    insecure: {
      doc: 'Allow `metrics.listen` off loopback: whoever reaches it can read the counts, in the clear.',
      format: 'switch',
      default: false,
      env: 'PULLWIRE_RELAY_METRICS_INSECURE',
      flag: '--metrics-insecure',
    },
  },
  dataFolder: {
    doc: 'Folder of the embedded registry; created with mode 0700. Relative to the working directory.',
    format: 'text',
    default: '.pullwire',
    env: 'PULLWIRE_RELAY_DATA',
    flag: '--data <folder>',
  },
  publicUrl: {
    doc: "The relay's address as agents dial it, where it is not the one of `listen`: their tokens are made for it.",
    format: 'url',
    nullable: true,
    default: null,
    env: 'PULLWIRE_RELAY_PUBLIC_URL',
    flag: '--public-url <url>',
  },
  tls: {
    cert: {
      doc: 'File with the certificate chain (PEM). Read again when it changes.',
      format: 'file',
      nullable: true,
      default: null,
      env: 'PULLWIRE_RELAY_TLS_CERT',
      flag: '--tls-cert <file>',
    },
    key: {
      doc: 'File with its private key (PEM).',
      format: 'file',
      nullable: true,
      default: null,
      env: 'PULLWIRE_RELAY_TLS_KEY',
      flag: '--tls-key <file>',
    },
  },
  trustedProxy: {
    doc: 'IP addresses and blocks of the proxies in front that speak TLS for the relay, or true for any.',
    format: 'proxies',
    default: [] as string[],
    env: 'PULLWIRE_RELAY_TRUSTED_PROXY',
    flag: '--trusted-proxy <addresses>',
  },
  insecure: {
    doc: 'Listen in the clear off loopback: keys and data can be read on the way.',
    format: 'switch',
    default: false,
    env: 'PULLWIRE_RELAY_INSECURE',
    flag: '--insecure',
  },
  table: {
    name: {
      doc: 'DynamoDB table for the registry, in place of the embedded engine.',
      format: 'table-name',
      nullable: true,
      default: null,
      env: 'PULLWIRE_RELAY_TABLE',
      flag: '--table <name>',
    },
    region: {
      doc: "The table's AWS region.",
      format: 'text',
      nullable: true,
      default: null,
      env: 'PULLWIRE_RELAY_TABLE_REGION',
      flag: '--region <region>',
    },
    endpoint: {
      doc: "A DynamoDB endpoint other than AWS's own.",
      format: 'url',
      nullable: true,
      default: null,
      env: 'PULLWIRE_RELAY_TABLE_ENDPOINT',
      flag: '--endpoint <url>',
    },
  },
  connectionsUrl: {
    doc: "For commands with a table on AWS: the WebSocket API's @connections address. With it `device revoke`, `remove` and `rotate` reach open links at once.",
    format: 'url',
    nullable: true,
    default: null,
    env: 'PULLWIRE_RELAY_CONNECTIONS_URL',
    flag: '--connections-url <url>',
  },
  limits: {
    pullsPerLink: {
      doc: 'Pulls in flight on one link at most.',
      format: 'whole',
      range: [1, 65_536],
      default: 512,
      env: 'PULLWIRE_RELAY_LIMITS_PULLS_PER_LINK',
    },
    pullsPerCaller: {
      doc: 'Pulls in flight of one caller at most.',
      format: 'whole',
      range: [1, 65_536],
      default: 512,
      env: 'PULLWIRE_RELAY_LIMITS_PULLS_PER_CALLER',
    },
    links: {
      doc: 'Links at most.',
      format: 'whole',
      range: [1, 1_000_000],
      default: 10_000,
      env: 'PULLWIRE_RELAY_LIMITS_LINKS',
    },
    requestBodyBytes: {
      doc: "Bytes of a caller's request body at most.",
      format: 'whole',
      range: [0, Number.MAX_SAFE_INTEGER],
      default: 1_073_741_824,
      env: 'PULLWIRE_RELAY_LIMITS_REQUEST_BODY_BYTES',
    },
    headBytes: {
      doc: "Bytes of a caller's request head at most.",
      format: 'whole',
      range: [1_024, 16_384],
      default: 16_384,
      env: 'PULLWIRE_RELAY_LIMITS_HEAD_BYTES',
    },
  },
  heartbeat: {
    intervalMs: {
      doc: 'Milliseconds of silence on a link after which it is asked for a sign of life.',
      format: 'whole',
      range: [100, 600_000],
      default: 25_000,
      env: 'PULLWIRE_RELAY_HEARTBEAT_INTERVAL_MS',
    },
    maxIntervalMs: {
      doc: 'Milliseconds that agents on metered links may make of it at most; a dead path is found later then.',
      format: 'whole',
      range: [100, 600_000],
      default: 240_000,
      env: 'PULLWIRE_RELAY_HEARTBEAT_MAX_INTERVAL_MS',
    },
    timeoutMs: {
      doc: 'Milliseconds that the sign may take before the link counts as lost.',
      format: 'whole',
      range: [100, 600_000],
      default: 10_000,
      env: 'PULLWIRE_RELAY_HEARTBEAT_TIMEOUT_MS',
    },
  },
  deadline: {
    defaultMs: {
      doc: "Milliseconds until a reply's head is due, where the caller asks for no other time.",
      format: 'whole',
      range: [1, 86_400_000],
      default: 30_000,
      env: 'PULLWIRE_RELAY_DEADLINE_DEFAULT_MS',
    },
    maxMs: {
      doc: 'Milliseconds that a caller may ask for at most (Prefer: wait=).',
      format: 'whole',
      range: [1, 86_400_000],
      default: 600_000,
      env: 'PULLWIRE_RELAY_DEADLINE_MAX_MS',
    },
  },
  queue: {
    defaultMs: {
      doc: 'Milliseconds that a queued pull waits for its device, where its caller says nothing.',
      format: 'whole',
      range: [1_000, 2_592_000_000],
      default: 86_400_000,
      env: 'PULLWIRE_RELAY_QUEUE_DEFAULT_MS',
    },
    maxMs: {
      doc: 'Milliseconds that a caller may have it wait at most (Pullwire-Deadline).',
      format: 'whole',
      range: [1_000, 2_592_000_000],
      default: 604_800_000,
      env: 'PULLWIRE_RELAY_QUEUE_MAX_MS',
    },
    keepMs: {
      doc: 'Milliseconds that a queued pull and its result are kept after its end.',
      format: 'whole',
      range: [1_000, 2_592_000_000],
      default: 86_400_000,
      env: 'PULLWIRE_RELAY_QUEUE_KEEP_MS',
    },
    perDevice: {
      doc: 'Queued pulls of one device at most.',
      format: 'whole',
      range: [1, 1_000],
      default: 100,
      env: 'PULLWIRE_RELAY_QUEUE_PER_DEVICE',
    },
    perCaller: {
      doc: 'Queued pulls of one caller at most, over all devices.',
      format: 'whole',
      range: [1, 1_000],
      default: 1_000,
      env: 'PULLWIRE_RELAY_QUEUE_PER_CALLER',
    },
    requestBytes: {
      doc: 'Bytes of the request body of a queued pull at most.',
      format: 'whole',
      range: [0, 1_073_741_824],
      default: 8_388_608,
      env: 'PULLWIRE_RELAY_QUEUE_REQUEST_BYTES',
    },
    replyBytes: {
      doc: 'Bytes of the body of its reply at most.',
      format: 'whole',
      range: [0, 1_073_741_824],
      default: 33_554_432,
      env: 'PULLWIRE_RELAY_QUEUE_REPLY_BYTES',
    },
    perCallerBytes: {
      doc: 'Bytes of bodies in the data folder that are kept for the queued pulls of one caller at most.',
      format: 'whole',
      range: [0, 1_099_511_627_776],
      default: 1_073_741_824,
      env: 'PULLWIRE_RELAY_QUEUE_PER_CALLER_BYTES',
    },
  },
  readings: {
    retentionDays: {
      doc: 'Days for which a reading is kept after the time at which it was due.',
      format: 'whole',
      range: [1, 3_650],
      default: 30,
      env: 'PULLWIRE_RELAY_READINGS_RETENTION_DAYS',
    },
    bytesPerDay: {
      doc: 'Bytes of readings that one device may have stored a day; what is more its agent keeps, and sends later.',
      format: 'whole',
      range: [leastQuotaBytes, mostQuotaBytes],
      default: 268_435_456,
      env: 'PULLWIRE_RELAY_READINGS_BYTES_PER_DAY',
    },
  },
  linkLifeMs: {
    doc: 'Milliseconds after which a link ends; its agent opens the next one before. 0: never.',
    format: 'whole',
    range: [0, 2_147_483_647],
    default: 0,
    env: 'PULLWIRE_RELAY_LINK_LIFE_MS',
  },
  idleMs: {
    doc: 'Milliseconds in which nothing of a reply moves, after which it is broken off.',
    format: 'whole',
    range: [100, 86_400_000],
    default: 60_000,
    env: 'PULLWIRE_RELAY_IDLE_MS',
  },
  drainMs: {
    doc: 'Milliseconds that pulls under way get when the relay shuts down.',
    format: 'whole',
    range: [0, 3_600_000],
    default: 10_000,
    env: 'PULLWIRE_RELAY_DRAIN_MS',
  },
  takeOverMs: {
    doc: 'Milliseconds to wait for a relay that runs in the data folder to end; 0: it is an error.',
    format: 'whole',
    range: [0, 3_600_000],
    default: 0,
    env: 'PULLWIRE_RELAY_TAKE_OVER_MS',
    flag: '--take-over-ms <ms>',
  },
  logLevel: {
    doc: 'The least level that is logged: fatal, error, warn, info, debug, trace, or silent.',
    format: 'level',
    default: 'info',
    env: 'PULLWIRE_RELAY_LOG_LEVEL',
    flag: '--log-level <level>',
  },
};

/** The values as convict holds them. */
export interface ConfigValues {
  listen: string;
  metrics: { listen: string | null; insecure: boolean };
  dataFolder: string;
  publicUrl: string | null;
  tls: { cert: string | null; key: string | null };
  trustedProxy: true | string[];
  insecure: boolean;
  table: { name: string | null; region: string | null; endpoint: string | null };
  connectionsUrl: string | null;
  limits: {
    pullsPerLink: number;
    pullsPerCaller: number;
    links: number;
    requestBodyBytes: number;
    headBytes: number;
  };
  heartbeat: { intervalMs: number; maxIntervalMs: number; timeoutMs: number };
  deadline: { defaultMs: number; maxMs: number };
  queue: {
    defaultMs: number;
    maxMs: number;
    keepMs: number;
    perDevice: number;
    perCaller: number;
    requestBytes: number;
    replyBytes: number;
    perCallerBytes: number;
  };
  readings: { retentionDays: number; bytesPerDay: number };
  linkLifeMs: number;
  idleMs: number;
  drainMs: number;
  takeOverMs: number;
  logLevel: string;
}
