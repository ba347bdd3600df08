import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { type AgentMessage, cancelReasons, type RelayMessage, stages } from '../src/index.ts';

/** Arbitrary messages within every limit of PROTOCOL.md, in the shape that `decode` gives them. */

const chars = (from: string, min: number, max: number) =>
  fc.string({ unit: fc.constantFrom(...from), minLength: min, maxLength: max });
const codePoints = (ranges: [number, number][], min: number, max: number) =>
  fc.string({
    unit: fc
      .oneof(...ranges.map(([low, high]) => fc.integer({ min: low, max: high })))
      .map((code) => String.fromCharCode(code)),
    minLength: min,
    maxLength: max,
  });

const lower = 'abcdefghijklmnopqrstuvwxyz';
const alphanumeric = `${lower}${lower.toUpperCase()}0123456789`;
const tokenChars = `${alphanumeric}!#$%&'*+-.^_\`|~`;

const pullId = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => Buffer.from(bytes).toString('base64url'));
const replyTo = codePoints([[0x21, 0x7e]], 1, 64);
const publicKey = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => `ed25519:${Buffer.from(bytes).toString('base64url')}`);
const seq = fc.integer({ min: 1, max: 0xffff_ffff });
const count = fc.maxSafeNat();
const budget = fc.nat({ max: 0x7fff_ffff });
const ms = fc.double({ min: 0, max: 1e9, noNaN: true }).map((value) => value + 0);
/** Beyond Latin-1 too, with unpaired surrogates; no controls. */
const text = (max: number) =>
  codePoints(
    [
      [0x20, 0x7e],
      [0xa0, 0xffff],
    ],
    0,
    max,
  );
const name = fc.constantFrom('resend', 'a', 'Größe', 'x'.repeat(64));
const fieldValue = codePoints(
  [
    [0x09, 0x09],
    [0x20, 0x7e],
    [0x80, 0xff],
  ],
  0,
  40,
);
const headers = fc
  .array(fc.tuple(chars(tokenChars, 1, 20), fieldValue), { maxLength: 12 })
  .map((pairs) => pairs.flat());
const rawTarget = codePoints(
  [
    [0x21, 0x22],
    [0x24, 0x3e],
    [0x40, 0x7e],
    [0x80, 0xff],
  ],
  0,
  80,
);
const bytes = (min: number) =>
  fc
    .oneof(
      { weight: 4, arbitrary: fc.uint8Array({ minLength: min, maxLength: 300 }) },
      { weight: 1, arbitrary: fc.uint8Array({ minLength: 4_000, maxLength: 4_200, size: 'max' }) },
    )
    .map((value) => Buffer.from(value));
const code = fc
  .tuple(chars(lower, 1, 1), chars(`${lower}0123456789-`, 0, 20))
  .map((parts) => parts.join(''));
const id = (extra: string, max: number) =>
  fc
    .tuple(chars(alphanumeric, 1, 1), chars(alphanumeric + extra, 0, max - 1))
    .map((parts) => parts.join(''));

const plain = { noNullPrototype: true } as const;
const of = <A extends string>(action: A) => fc.constant(action);
const zero = fc.constant(0 as const);

const bye = fc.record(
  { action: of('bye'), code, reason: text(60) },
  { requiredKeys: ['action', 'code'], noNullPrototype: true },
);
const trailing = { pullId, seq, trailers: headers };

const hello = fc.record(
  {
    action: of('hello'),
    version: fc.nat(),
    agent: text(40),
    device: id('._:-', 128),
    instance: id('._:-', 64),
    sources: fc.array(
      fc.record(
        {
          name: id('', 20).map((value) => value.toLowerCase()),
          kind: name,
          methods: fc.array(chars(tokenChars, 1, 32), { maxLength: 5 }),
        },
        plain,
      ),
      { maxLength: 8 },
    ),
    labels: fc.dictionary(name, text(50), { maxKeys: 4, noNullPrototype: true }),
    heartbeatMs: budget,
    features: fc.array(name, { maxLength: 4 }),
  },
  {
    requiredKeys: [
      'action',
      'version',
      'agent',
      'device',
      'instance',
      'sources',
      'labels',
      'features',
    ],
    noNullPrototype: true,
  },
);

const head = fc.record(
  {
    action: of('head'),
    pullId,
    replyTo,
    seq: zero,
    status: fc.integer({ min: 200, max: 599 }),
    reason: fieldValue,
    headers,
    timing: fc.record({ agentMs: ms, upstreamMs: ms }, plain),
    end: fc.boolean(),
    body: bytes(1),
  },
  {
    requiredKeys: ['action', 'pullId', 'replyTo', 'seq', 'status', 'headers', 'end'],
    noNullPrototype: true,
  },
);

const fault = fc.record(
  {
    action: of('fault'),
    pullId,
    replyTo,
    code,
    stage: fc.constantFrom(...stages),
    detail: fc.string({ maxLength: 250, unit: 'binary' }),
    retryAfterMs: budget,
    extra: fc.dictionary(
      fc.constantFrom('exitCode', 'stderr', '', 'ä', 'constructor', '0'),
      fc.oneof(fc.string({ maxLength: 300 }), fc.integer()),
      { maxKeys: 8, noNullPrototype: true },
    ),
  },
  {
    requiredKeys: ['action', 'pullId', 'replyTo', 'code', 'stage', 'detail'],
    noNullPrototype: true,
  },
);

const upload = fc.record(
  {
    action: of('upload'),
    pullId,
    replyTo,
    part: fc.integer({ min: 1, max: 400 }),
    length: fc.integer({ min: 5_242_880, max: 8_388_608 }),
    sha256: chars('0123456789abcdef', 64, 64),
    more: fc.boolean(),
  },
  plain,
);

const complete = fc.record(
  {
    action: of('complete'),
    pullId,
    replyTo,
    parts: fc
      .array(codePoints([[0x21, 0x7e]], 1, 128), { minLength: 1, maxLength: 8 })
      .map((etags) => etags.map((etag, i) => ({ part: i + 1, etag }))),
    length: count,
    trailers: headers,
  },
  {
    requiredKeys: ['action', 'pullId', 'replyTo', 'parts', 'length'],
    noNullPrototype: true,
  },
);

const entry = {
  schedule: id('-', 63).map((value) => value.toLowerCase()),
  at: count,
  source: id('._-', 64).map((value) => value.toLowerCase()),
  path: rawTarget.map((rest) => `/${rest}`),
  query: rawTarget,
  ms: budget,
};
const wanted = ['schedule', 'at', 'source', 'path', 'ms'] as const;
const status = fc.integer({ min: 200, max: 599 });
const refusal = { code, detail: text(60) };

const readingEntry = fc.oneof(
  fc
    .record(
      { ...entry, status, headers, body: bytes(0) },
      { requiredKeys: [...wanted, 'status', 'headers', 'body'], noNullPrototype: true },
    )
    .map(({ body, ...rest }) => ({ entry: { ...rest, length: body.length }, body })),
  fc
    .record(
      { ...entry, fault: fc.record(refusal, plain) },
      { requiredKeys: [...wanted, 'fault'], noNullPrototype: true },
    )
    .map((rest) => ({ entry: { ...rest, length: 0 }, body: Buffer.alloc(0) })),
);

const reading = fc
  .tuple(count, fc.array(readingEntry, { minLength: 1, maxLength: 4 }))
  .map(([batch, entries]) => {
    const body = Buffer.concat(entries.map((one) => one.body));
    return {
      action: 'reading' as const,
      batch,
      readings: entries.map((one) => one.entry),
      ...(body.length > 0 && { body }),
    };
  });

export const anyAgentMessage: fc.Arbitrary<AgentMessage> = fc.oneof(
  hello,
  head,
  fc.record({ action: of('body'), pullId, replyTo, seq, end: fc.boolean(), body: bytes(0) }, plain),
  fc.record(
    { action: of('end'), replyTo, ...trailing },
    { requiredKeys: ['action', 'pullId', 'replyTo', 'seq'], noNullPrototype: true },
  ),
  fault,
  fc.record({ action: of('credit'), pullId, replyTo, limit: count }, plain),
  upload,
  complete,
  fc.record({ action: of('drain') }, plain),
  bye,
  fc.record({ action: of('keep-alive') }, plain),
  fc.record({ action: of('rotate'), publicKey, proof: text(400) }, plain),
  fc.record({ action: of('probed'), pullId, replyTo }, plain),
  reading,
);

const welcome = fc.record(
  {
    action: of('welcome'),
    version: fc.nat(),
    relay: text(40),
    limits: fc.record(
      { frameBytes: count, bodyBytes: count, headBytes: count, pulls: count },
      plain,
    ),
    heartbeat: fc.record(
      { intervalMs: budget, timeoutMs: budget, maxIntervalMs: budget },
      { requiredKeys: ['intervalMs', 'timeoutMs'], noNullPrototype: true },
    ),
    endOfLifeMs: budget,
    features: fc.array(name, { maxLength: 4 }),
  },
  {
    requiredKeys: ['action', 'version', 'relay', 'limits', 'heartbeat', 'features'],
    noNullPrototype: true,
  },
);

const pull = fc.record(
  {
    action: of('pull'),
    pullId,
    replyTo,
    seq: zero,
    source: id('._-', 64).map((value) => value.toLowerCase()),
    method: chars(tokenChars, 1, 32),
    path: rawTarget.map((rest) => `/${rest}`),
    query: rawTarget,
    headers,
    deadlineMs: budget,
    credit: count,
    caller: text(60),
    end: fc.boolean(),
    body: bytes(1),
  },
  {
    requiredKeys: [
      'action',
      'pullId',
      'replyTo',
      'seq',
      'source',
      'method',
      'path',
      'headers',
      'deadlineMs',
      'credit',
      'caller',
      'end',
    ],
    noNullPrototype: true,
  },
);

export const anyRelayMessage: fc.Arbitrary<RelayMessage> = fc.oneof(
  welcome,
  pull,
  fc.record({ action: of('body'), pullId, seq, end: fc.boolean(), body: bytes(0) }, plain),
  fc.record(
    { action: of('end'), ...trailing },
    { requiredKeys: ['action', 'pullId', 'seq'], noNullPrototype: true },
  ),
  fc.record({ action: of('credit'), pullId, limit: count }, plain),
  fc.record({ action: of('cancel'), pullId, reason: fc.constantFrom(...cancelReasons) }, plain),
  fc.record({ action: of('resend'), pullId, replyTo, have: count }, plain),
  fc.record(
    {
      action: of('put'),
      pullId,
      part: fc.integer({ min: 1, max: 400 }),
      url: codePoints([[0x21, 0x7e]], 1, 200).map((rest) => `https://${rest}`),
      headers,
    },
    plain,
  ),
  fc.record({ action: of('drain'), withinMs: budget }, plain),
  bye,
  fc.record(
    { action: of('kept-alive'), connectionId: text(60) },
    { requiredKeys: ['action'], noNullPrototype: true },
  ),
  fc.record({ action: of('rotate') }, plain),
  fc.record({ action: of('probe'), pullId, replyTo }, plain),
  fc.record(
    {
      action: of('stored'),
      batch: count,
      refused: fc.array(fc.record({ index: count, ...refusal }, plain), { maxLength: 4 }),
    },
    { requiredKeys: ['action', 'batch'], noNullPrototype: true },
  ),
  fc.record({ action: of('held'), batch: count, retryAfterMs: budget, ...refusal }, plain),
  fc.record(
    { action: of('rotated'), publicKey, refused: code },
    { requiredKeys: ['action', 'publicKey'], noNullPrototype: true },
  ),
);
