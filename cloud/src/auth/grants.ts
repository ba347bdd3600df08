import type { Grant } from '../registry/registry.ts';
import { compileGlobs, type Matcher } from './glob.ts';

/** Labels of a device by the operator's word, never by the agent's: grants may rest on them. */
export type DeviceLabels = Readonly<Record<string, string>>;

export type GrantVerdict =
  | 'allowed'
  /** Some grant covers the source, none this method of it. */
  | 'method-not-granted'
  /** To this caller the device or source does not exist. */
  | 'no-grant';

/** What a caller may pull, compiled once a key. Nothing is granted that no grant covers. */
export interface GrantSet {
  allows(device: string, labels: DeviceLabels, source: string, method: string): GrantVerdict;
  /** Whether any grant covers something of the device: it is in this caller's lists. */
  seesDevice(device: string, labels: DeviceLabels): boolean;
  /** Whether any grant covers some method of the source. */
  seesSource(device: string, labels: DeviceLabels, source: string): boolean;
}

interface CompiledGrant {
  readonly device: Matcher;
  readonly labels: readonly (readonly [string, string])[];
  readonly source: Matcher;
  readonly methods: ReadonlySet<string>;
}

export function compileGrants(grants: readonly Grant[]): GrantSet {
  const compiled = grants.map(compileGrant);
  return {
    allows(device, labels, source, method) {
      let verdict: GrantVerdict = 'no-grant';
      for (const grant of compiled) {
        if (!coversSource(grant, device, labels, source)) continue;
        if (grant.methods.has(method) || grant.methods.has('*')) return 'allowed';
        verdict = 'method-not-granted';
      }
      return verdict;
    },
    seesDevice: (device, labels) => compiled.some((grant) => coversDevice(grant, device, labels)),
    seesSource: (device, labels, source) =>
      compiled.some((grant) => coversSource(grant, device, labels, source)),
  };
}

function compileGrant(grant: Grant): CompiledGrant {
  return {
    device: compileGlobs(grant.devices),
    labels: Object.entries(grant.labels ?? {}),
    source: compileGlobs(grant.sources),
    methods: new Set(grant.methods),
  };
}

function coversDevice(grant: CompiledGrant, device: string, labels: DeviceLabels): boolean {
  return grant.device(device) && hasLabels(labels, grant.labels);
}

function coversSource(
  grant: CompiledGrant,
  device: string,
  labels: DeviceLabels,
  source: string,
): boolean {
  return grant.source(source) && coversDevice(grant, device, labels);
}

function hasLabels(labels: DeviceLabels, wanted: CompiledGrant['labels']): boolean {
  return wanted.every(([name, value]) => Object.hasOwn(labels, name) && labels[name] === value);
}
