import { devicePattern, instancePattern } from '@pullwire/shared';
import { parseListenAddress } from '@pullwire/shared/listen-address';
import convict from 'convict';
import { readSize } from '../source/quantity.ts';
import { logLevels } from './agent-config.ts';
import type { ScalarSetting } from './config-setting.ts';

type Range = readonly [least: number, most: number];

/** One kind of value: what is expected, in words; how text becomes one; whether it is one. */
interface ConfigFormat {
  readonly expected: string | ((range: Range) => string);
  /** Of text; what cannot be read stays text, and is refused by `accepts`. */
  readonly read?: (text: string) => unknown;
  readonly accepts: (value: unknown, range: Range) => boolean;
}

const anyRange: Range = [0, Number.MAX_SAFE_INTEGER];
const units: Readonly<Record<string, number>> = { '': 1, ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const encodings = ['bin', 'json'];

const formats: Readonly<Record<string, ConfigFormat>> = {
  'relay-url': {
    expected: 'a URL such as wss://relay.example, without user, query and fragment',
    read: (text) => readRelayUrl(text) ?? text,
    accepts: (value) => typeof value === 'string' && readRelayUrl(value) === value,
  },
  device: {
    expected: '1 to 128 of A–Z a–z 0–9 . _ : -, beginning with a letter or digit',
    accepts: (value) => typeof value === 'string' && devicePattern.test(value),
  },
  instance: {
    expected: '1 to 64 of A–Z a–z 0–9 . _ : -, beginning with a letter or digit',
    accepts: (value) => typeof value === 'string' && instancePattern.test(value),
  },
  path: {
    expected: 'the path of a file',
    accepts: (value) => typeof value === 'string' && value !== '' && !value.includes('\0'),
  },
  text: {
    expected: 'text',
    accepts: (value) => typeof value === 'string' && value !== '',
  },
  switch: {
    expected: 'true or false',
    read: (text) => (text === 'true' ? true : text === 'false' ? false : text),
    accepts: (value) => typeof value === 'boolean',
  },
  encodings: {
    expected: 'a list of bin and json, each once at most, or none',
    read: readList,
    accepts: (value) => Array.isArray(value) && areDistinctEncodings(value),
  },
  hosts: {
    expected: 'a list of host names such as s3.example.com or *.example.com, or none',
    read: readList,
    accepts: (value) => Array.isArray(value) && value.every(isHostPattern),
  },
  address: {
    expected: 'host:port, such as 127.0.0.1:9464 or [::1]:9464',
    accepts: (value) => typeof value === 'string' && parseListenAddress(value) !== undefined,
  },
  duration: {
    expected: ([least, most]) =>
      `milliseconds from ${least} to ${most}, as a number or like 500ms, 30s or 5m`,
    read: (text) => readDuration(text) ?? text,
    accepts: isWithin,
  },
  count: {
    expected: ([least, most]) => `a whole number from ${least} to ${most}`,
    read: (text) => (/^\d{1,15}$/.test(text) ? Number(text) : text),
    accepts: isWithin,
  },
  size: {
    expected: ([least, most]) =>
      `bytes from ${least} to ${most}, as a number or like 500B, 64KiB or 10MB`,
    read: (text) => readSize(text) ?? text,
    accepts: isWithin,
  },
  'log-level': {
    expected: `one of ${logLevels.join(', ')}`,
    accepts: (value) => logLevels.some((level) => level === value),
  },
};

/** convict keeps formats for the whole process: the names are ours alone. */
export function addConfigFormats(): void {
  for (const [name, { read, accepts }] of Object.entries(formats)) {
    convict.addFormat({
      name: formatName(name),
      validate(value: unknown, schema) {
        const range: Range = schema['range'] ?? anyRange;
        if (!accepts(value, range)) throw new Error('not as expected');
      },
      coerce: read ?? ((text: string) => text),
    });
  }
}

export const formatName = (name: string): string => `agent-${name}`;

/** In words, what a setting takes; undefined where it takes `value`. */
export function whatIsWrong(setting: ScalarSetting, value: unknown): string | undefined {
  const format = formats[setting.format];
  const range = setting.range ?? anyRange;
  if (format === undefined || (value === null && setting.nullable)) return undefined;
  if (format.accepts(value, range)) return undefined;
  return typeof format.expected === 'string' ? format.expected : format.expected(range);
}

/** Separated by commas; `none` is an empty one. */
function readList(text: string): string[] {
  const list = text.trim();
  return list === '' || list === 'none' ? [] : list.split(',').map((part) => part.trim());
}

function isHostPattern(value: unknown): boolean {
  return typeof value === 'string' && /^(\*\.)?[a-z0-9.-]{1,253}$|^\[[0-9a-f:.]+\]$/i.test(value);
}

/** Where the agent would dial: what names no path means `/link`. Undefined where it is not such a URL. */
export function readRelayUrl(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null || !/^wss?:$/.test(url.protocol) || url.hostname === '') return undefined;
  if (url.username !== '' || url.password !== '' || /[?#]/.test(text)) return undefined;
  if (url.pathname === '/') url.pathname = '/link';
  return url.href;
}

function readDuration(text: string): number | undefined {
  const [, digits, unit = ''] = /^(\d{1,15}(?:\.\d{1,3})?) ?([a-z]{0,2})$/.exec(text) ?? [];
  const factor = Object.hasOwn(units, unit) ? units[unit] : undefined;
  return digits === undefined || factor === undefined
    ? undefined
    : Math.round(Number(digits) * factor);
}

function areDistinctEncodings(values: readonly unknown[]): boolean {
  return (
    new Set(values).size === values.length &&
    values.every((value) => encodings.includes(String(value)))
  );
}

function isWithin(value: unknown, [least, most]: Range): boolean {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
}
