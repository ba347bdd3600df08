import type { SourcePosition } from './source-position.ts';

/** What the time of a process is spent on. */
export type Category =
  | 'idle'
  | 'garbage collection'
  | 'native (libuv, system calls, HTTP parser)'
  | 'system writes'
  | 'HTTP server'
  | 'upstream HTTP (undici)'
  | 'WebSocket (ws)'
  | 'codec'
  | 'log and audit'
  | 'crypto'
  | 'sockets and streams'
  | 'timers, events, rest of Node'
  | 'own code: shared'
  | 'own code: relay'
  | 'own code: agent'
  | 'other libraries';

const engine: Readonly<Record<string, Category>> = {
  '(idle)': 'idle',
  '(garbage collector)': 'garbage collection',
  '(program)': 'native (libuv, system calls, HTTP parser)',
  '(root)': 'native (libuv, system calls, HTTP parser)',
};

/** The stream methods of Node's native sockets that end in a system call. */
const nativeWrite = /^(writev|writeBuffer|write(Utf8|Latin1|Ascii|Ucs2)String)$/;

const codecFile =
  /^shared\/src\/((bin|json)-codec|bin-frame|codec|envelope|field|[a-z]+-fields|(agent|relay)-reader|pull-id)\.ts$/;

/** The first that matches the file counts. */
const byFile: readonly (readonly [RegExp, Category])[] = [
  [codecFile, 'codec'],
  [/^shared\//, 'own code: shared'],
  [
    /(^|\/)node_modules\/(pino|pino-[^/]+|sonic-boom|safe-stable-stringify|quick-format-unescaped)\//,
    'log and audit',
  ],
  [/^(agent|cloud)\/src\/(.*\/)?[a-z-]*(log|audit)[a-z-]*\.ts$/, 'log and audit'],
  [/^cloud\//, 'own code: relay'],
  [/^agent\//, 'own code: agent'],
  [/(^|\/)node_modules\/(ws|reconnecting-websocket|bufferutil)\//, 'WebSocket (ws)'],
  [/(^|\/)node_modules\/undici\//, 'upstream HTTP (undici)'],
  [/(^|\/)node_modules\//, 'other libraries'],
  [/^wasm:/, 'upstream HTTP (undici)'], // its parser, llhttp
  [/^node:fs$/, 'log and audit'], // nothing else of a pull reads or writes files by `fs`
  [/^node:(_http_|http|internal\/http)/, 'HTTP server'],
  [/^node:(crypto|internal\/crypto\/)/, 'crypto'],
  [
    /^node:(net|stream|tls|_tls_|internal\/(stream_base_commons|streams\/|tls\/|js_stream_socket))/,
    'sockets and streams',
  ],
  [/^node:/, 'timers, events, rest of Node'],
];

/**
 * What a function's own time counts as. Native functions count for whoever called them (JSON.parse in the codec is
 * codec), except for writes to sockets, whoever asked for them.
 */
export function categoryOf(position: SourcePosition, callers: readonly SourcePosition[]): Category {
  const known = engine[position.name];
  if (position.file === '' && known !== undefined) return known;
  const chain = [position, ...callers];
  const where = chain.find(({ file }) => file !== '');
  if (where === undefined) return 'native (libuv, system calls, HTTP parser)';
  const category = categoryOfFile(where.file);
  const isWrite = position.file === '' && nativeWrite.test(position.name);
  return isWrite && category !== 'log and audit' ? 'system writes' : category;
}

function categoryOfFile(file: string): Category {
  return byFile.find(([pattern]) => pattern.test(file))?.[1] ?? 'other libraries';
}
