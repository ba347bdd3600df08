import * as v from 'valibot';
import { isIssuerScheme } from './issuer-scheme.ts';

const defaultAlgorithms = ['RS256', 'PS256', 'ES256', 'EdDSA'];
/** Signatures with a public key only (RFC 8725 §3.1): with HMAC, whoever can check a token can make one. */
const algorithms = [...defaultAlgorithms, 'RS384', 'RS512', 'PS384', 'PS512', 'ES384', 'ES512'];

const text = (most: number) =>
  v.pipe(
    v.string('must be a text'),
    v.nonEmpty('must not be empty'),
    v.maxLength(most, `must have at most ${most} characters`),
  );

const claim = text(256);

function list<S extends v.GenericSchema>(entry: S) {
  return v.pipe(v.array(entry, 'must be a list'), v.minLength(1, 'must have at least one entry'));
}

/** An unknown name is the mistake of whoever wrote it: it would be ignored, and a rule with it. */
function settings<E extends v.ObjectEntries>(entries: E) {
  const names = Object.keys(entries).join(', ');
  return v.strictObject(entries, ({ expected }) => {
    if (expected === 'never') return `is not one of ${names}`;
    return expected === 'Object' ? `must be a map of ${names}` : 'must be set';
  });
}

const address = v.pipe(
  text(512),
  v.check(
    isSafeUrl,
    'must be an https URL without user and fragment (http only where it is this machine)',
  ),
);

const glob = (pattern: RegExp) => v.pipe(text(128), v.regex(pattern, 'can match nothing'));

const grant = settings({
  when: v.optional(
    v.record(claim, v.union([text(256), v.number(), v.boolean()], 'must be one plain value')),
    {},
  ),
  devices: list(glob(/^[A-Za-z0-9._:*-]+$/)),
  labels: v.exactOptional(v.record(text(64), text(256))),
  sources: list(glob(/^[a-z0-9._*-]{1,64}$/)),
  methods: list(glob(/^(?:\*|[A-Z-]{1,32})$/)),
  manage: v.exactOptional(v.boolean('must be true or false')),
});

const issuer = v.pipe(
  settings({
    issuer: v.pipe(
      address,
      v.check((value) => !value.includes('?'), 'must have no query (OpenID Connect Core 1.0 §2)'),
    ),
    jwksUri: v.optional(address),
    audience: text(256),
    algorithms: v.optional(
      list(v.picklist(algorithms, `must be one of ${algorithms.join(', ')}`)),
      defaultAlgorithms,
    ),
    agents: v.optional(
      settings({
        device: v.optional(claim, 'sub'),
        instance: v.optional(claim, 'inst'),
        labels: v.optional(v.record(text(64), claim), {}),
      }),
    ),
    callers: v.optional(settings({ name: v.optional(claim, 'sub'), grants: list(grant) })),
  }),
  v.check(
    ({ agents, callers }) => agents !== undefined || callers !== undefined,
    'must have `agents`, `callers` or both: its tokens would be good for nothing',
  ),
);

export const issuerList = v.array(issuer, 'must be a list');

function isSafeUrl(value: string): boolean {
  const url = URL.parse(value);
  if (url === null || url.username !== '' || url.password !== '' || value.includes('#')) {
    return false;
  }
  return isIssuerScheme(url);
}
