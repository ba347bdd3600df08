import { methodPattern } from '@pullwire/shared';
import type { Grant } from '../registry/registry.ts';
import { timeText } from './output-list.ts';
import { parseLabels } from './parse-label.ts';
import { parseUntil } from './parse-until.ts';
import { UsageError } from './usage-error.ts';

/** The options that say what a key may pull; those that are lists may be repeated, and hold several after commas. */
export interface GrantOptions {
  readonly devices: readonly string[];
  readonly label: readonly string[];
  readonly sources: readonly string[];
  readonly methods: readonly string[];
  readonly manage: boolean;
  readonly until: string | undefined;
}

const deviceGlob = /^[A-Za-z0-9._:*-]{1,128}$/;
const sourceGlob = /^[a-z0-9._*-]{1,64}$/;

/** `now` in milliseconds. Throws `UsageError`. */
export function parseGrant(options: GrantOptions, now: number): Grant {
  const labels = parseLabels(options.label);
  return {
    devices: list('--devices', options.devices, deviceGlob),
    ...(options.label.length === 0 ? {} : { labels }),
    sources: list('--sources', options.sources, sourceGlob),
    methods: list('--methods', options.methods, methodPattern).map((m) => m.toUpperCase()),
    ...(options.manage ? { manage: true } : {}),
    ...(options.until === undefined ? {} : { until: parseUntil('--until', options.until, now) }),
  };
}

function list(flag: string, texts: readonly string[], pattern: RegExp): string[] {
  const values = texts.flatMap((text) => text.split(',')).map((value) => value.trim());
  for (const value of values) {
    if (!pattern.test(value)) throw new UsageError(`${flag}: "${value}" can match nothing`);
  }
  return [...new Set(values)];
}

/** A grant in words. */
export function describeGrant(grant: Grant): string {
  const labels = Object.entries(grant.labels ?? {}).map(([name, value]) => ` ${name}=${value}`);
  const devices = grant.devices.join(' ') + (labels.length === 0 ? '' : ` with${labels.join('')}`);
  const manage = grant.manage === true ? ', and may delete them' : '';
  const until = grant.until === undefined ? '' : `, until ${timeText(grant.until * 1_000)}`;
  return `${grant.methods.join(' ')} on sources ${grant.sources.join(' ')} of devices ${devices}${manage}${until}`;
}
