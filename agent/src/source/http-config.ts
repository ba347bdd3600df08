import * as v from 'valibot';
import { absolutePath, strictMap, textLike, textMatching } from './config-schema.ts';
import { parseHttpTarget } from './http-target.ts';
import { duration, size } from './quantity.ts';
import { secretText } from './secret-text.ts';
import { allowAnyMethod, pullLimits, replyBytes } from './source-limits.ts';

/** Fields that frame a message or belong to a connection: the source writes them itself. */
const ownHeader = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const headerName = v.pipe(
  textMatching('a header name', /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/),
  v.check(
    (name) => !ownHeader.has(name.toLowerCase()),
    'a header other than those that frame the message or concern the connection',
  ),
);

const limits = strictMap({
  requestBytes: v.optional(size(), 10_485_760),
  replyBytes,
  ...pullLimits(256),
  /** From the pull to the head of the reply. */
  timeoutMs: v.optional(duration(), 25_000),
  /** Without a byte of the reply's body, while there is room for it. */
  idleMs: v.optional(duration(), 60_000),
  connectMs: v.optional(duration(), 5_000),
});

/** An HTTP endpoint. `headers` are added and replace what the caller sent under the same name. */
export const httpSource = v.pipe(
  strictMap({
    kind: v.literal('http'),
    url: textLike('a URL', parseHttpTarget),
    headers: v.optional(v.record(headerName, secretText, 'a map of header names'), {}),
    /** PEM files. `ca` stands in place of the system's authorities. */
    ca: v.exactOptional(absolutePath),
    cert: v.exactOptional(absolutePath),
    key: v.exactOptional(absolutePath),
    /** The name in the certificate, where it is not the URL's. */
    serverName: v.exactOptional(textMatching('a host name', /^[A-Za-z0-9.-]+$/)),
    allow: allowAnyMethod,
    limits: v.optional(limits, {}),
  }),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const { url, ca, cert, key, serverName } = dataset.value;
    if ((cert === undefined) !== (key === undefined)) {
      addIssue({ message: '`cert` and `key` together' });
    }
    const tls = [ca, cert, key, serverName].some((value) => value !== undefined);
    if (tls && !url.startsWith('https:')) {
      addIssue({ message: '`ca`, `cert`, `key` and `serverName` with an https: URL only' });
    }
  }),
);

export type HttpSourceConfig = Readonly<v.InferOutput<typeof httpSource>>;
export type HttpLimits = HttpSourceConfig['limits'];
