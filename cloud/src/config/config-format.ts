import { accessSync, constants } from 'node:fs';
import { isIP } from 'node:net';
import { parseListenAddress } from '@pullwire/shared/listen-address';
import convict from 'convict';
import { logLevels } from './relay-config.ts';

/** One kind of value: what is expected, in words; how text becomes one; whether it is one. */
interface ConfigFormat {
  readonly expected: string;
  /** Of text from the environment or a flag; what cannot be read stays text, and is refused by `accepts`. */
  readonly read?: (text: string) => unknown;
  readonly accepts: (value: unknown) => boolean;
}

const formats: Record<string, ConfigFormat> = {
  address: {
    expected: 'must be host:port, such as 127.0.0.1:8080 or [::1]:8080',
    accepts: (value) => typeof value === 'string' && parseListenAddress(value) !== undefined,
  },
  text: {
    expected: 'must be text',
    accepts: (value) => typeof value === 'string' && value !== '',
  },
  file: {
    expected: 'must be a file that can be read',
    accepts: (value) => typeof value === 'string' && canRead(value),
  },
  url: {
    expected: 'must be a URL such as https://relay.example',
    accepts: (value) => typeof value === 'string' && isHttpUrl(value),
  },
  switch: {
    expected: 'must be true or false',
    read: (text) => (text === 'true' ? true : text === 'false' ? false : text),
    accepts: (value) => typeof value === 'boolean',
  },
  proxies: {
    expected: 'must be true, or IP addresses and blocks such as 10.0.0.0/8',
    read: (text) => (text === 'true' ? true : text.split(',').map((part) => part.trim())),
    accepts: (value) => value === true || (Array.isArray(value) && value.every(isAddressOrBlock)),
  },
  'table-name': {
    expected: 'must be 3 to 255 letters, digits, ".", "_" or "-"',
    accepts: (value) => typeof value === 'string' && /^[A-Za-z0-9_.-]{3,255}$/.test(value),
  },
  level: {
    expected: `must be one of ${logLevels.join(', ')}`,
    accepts: (value) => logLevels.some((level) => level === value),
  },
};

/** Makes the formats known to convict, whose registry of them is the process's. */
export function addConfigFormats(): void {
  for (const [name, { expected, read, accepts }] of Object.entries(formats)) {
    const validate = (value: unknown) => {
      if (!accepts(value)) throw new Error(withFalsy(expected, value));
    };
    convict.addFormat({ name, validate, coerce: (value: string) => (read ? read(value) : value) });
  }
  convict.addFormat({
    name: 'whole',
    coerce: (text: string) => (/^-?\d{1,15}$/.test(text) ? Number(text) : text),
    validate: (value: unknown, setting: convict.SchemaObj) => {
      const [least, most] = setting['range'] as readonly [number, number];
      if (Number.isInteger(value) && Number(value) >= least && Number(value) <= most) return;
      throw new Error(withFalsy(`must be a whole number from ${least} to ${most}`, value));
    },
  });
}

/** convict adds the value to its message, but not one that is falsy. */
function withFalsy(expected: string, value: unknown): string {
  return value ? expected : `${expected}: value was ${JSON.stringify(value)}`;
}

function canRead(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

function isHttpUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && ['http:', 'https:'].includes(url.protocol) && url.username === '';
}

function isAddressOrBlock(value: unknown): boolean {
  if (typeof value !== 'string') return false;
  const [address = '', length, ...rest] = value.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  if (length === undefined) return true;
  return /^\d{1,3}$/.test(length) && Number(length) <= (family === 4 ? 32 : 128);
}
