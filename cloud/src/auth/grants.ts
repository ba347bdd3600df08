import { compileGlobs, type Matcher } from '@pullwire/shared';
import type { Grant } from '../registry/registry.ts';
import type { CallerGrants, GrantVerdict } from './callers.ts';

/** Labels of a device by the operator's word, never by the agent's: grants may rest on them. */
type DeviceLabels = Readonly<Record<string, string>>;

interface CompiledGrant {
  readonly device: Matcher;
  readonly labels: readonly (readonly [string, string])[];
  readonly source: Matcher;
  readonly methods: ReadonlySet<string>;
  readonly manage: boolean;
  /** Epoch milliseconds; undefined: without an end. */
  readonly until: number | undefined;
}

/**
 * Nothing is granted that no grant covers; a grant covers what all of its parts match, until its end. Case counts.
 * `wall`: milliseconds since the epoch, asked at every decision on a grant that has an end.
 */
export function compileGrants(grants: readonly Grant[], wall: () => number): CallerGrants {
  const compiled = grants.map(compileGrant);
  const inForce = ({ until }: CompiledGrant): boolean => until === undefined || wall() < until;
  const covers = (grant: CompiledGrant, device: string, labels: DeviceLabels): boolean =>
    grant.device(device) && hasLabels(labels, grant.labels) && inForce(grant);
  return {
    allows(device, labels, source, method) {
      let verdict: GrantVerdict = 'no-grant';
      for (const grant of compiled) {
        if (!grant.source(source) || !covers(grant, device, labels)) continue;
        if (grant.methods.has(method) || grant.methods.has('*')) return 'allowed';
        verdict = 'method-not-granted';
      }
      return verdict;
    },
    uploads() {
      const now = compiled.filter(inForce);
      if (now.length === 0) return 'no-grant';
      const writes = now.some(({ methods }) => [...methods].some((method) => !reading.has(method)));
      return writes ? 'allowed' : 'method-not-granted';
    },
    seesDevice: (device, labels) => compiled.some((grant) => covers(grant, device, labels)),
    managesDevice: (device, labels) =>
      compiled.some((grant) => grant.manage && covers(grant, device, labels)),
  };
}

/** Methods whose requests have no body to speak of (RFC 9110 §9.3). */
const reading: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

function compileGrant(grant: Grant): CompiledGrant {
  return {
    device: compileGlobs(grant.devices),
    labels: Object.entries(grant.labels ?? {}),
    source: compileGlobs(grant.sources),
    methods: new Set(grant.methods),
    manage: grant.manage === true,
    until: grant.until === undefined ? undefined : grant.until * 1_000,
  };
}

function hasLabels(labels: DeviceLabels, wanted: CompiledGrant['labels']): boolean {
  return wanted.every(([name, value]) => Object.hasOwn(labels, name) && labels[name] === value);
}
