import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve } from 'node:path';
import { devicePattern, systemClock } from '@pullwire/shared';
import { readAuthorities } from '../config/authorities.ts';
import { ConfigError } from '../config/config-error.ts';
import { readRelayUrl } from '../config/config-format.ts';
import { EnrolledConfig } from '../config/enrolled-config.ts';
import { enrolAddress } from '../identity/enrol-address.ts';
import { enrolDevice } from '../identity/enrol-device.ts';
import { EnrolError } from '../identity/enrol-error.ts';
import { relayTrust } from '../link/relay-trust.ts';
import type { CliHost } from './cli-host.ts';

export interface EnrollOptions {
  readonly relay: string;
  readonly code?: string;
  readonly device?: string;
  readonly config: string;
  readonly keyFile?: string;
  readonly ca?: string;
  readonly insecure?: true;
}

/** Beside the configuration, in a folder that is nobody else's. */
const usualKeyFile = 'identity/device.key';

export const enrollCodeVariable = 'PULLWIRE_ENROLL_CODE';

/** Enrols the device and writes its configuration. What cannot go together is refused before the code is sent. */
export async function enroll(options: EnrollOptions, host: CliHost): Promise<void> {
  const insecure = options.insecure === true;
  const address = enrolAddress(options.relay, insecure);
  const config = new EnrolledConfig(resolve(host.workingFolder, options.config));
  const folder = dirname(config.path);
  const device = chosen('device', options.device, config.text('device'));
  if (device !== undefined && !devicePattern.test(device)) {
    throw new EnrolError(`--device: "${device}" is no device id`);
  }
  const givenKeyFile = options.keyFile && resolve(host.workingFolder, options.keyFile);
  const configKeyFile = config.text('keyFile');
  const keyFile =
    chosen('keyFile', givenKeyFile, configKeyFile && resolve(folder, configKeyFile)) ??
    resolve(folder, usualKeyFile);
  const ca = options.ca && resolve(host.workingFolder, options.ca);
  const trusted = chosen('ca', ca, fromFolder(folder, config.text('ca')));
  const record = await enrolDevice({
    address,
    code: codeOf(options, host),
    device,
    keyFile,
    insecure,
    secureContext: secureContextOf(trusted),
    env: host.env,
    clock: systemClock,
  });
  await mkdir(folder, { recursive: true });
  await config.add({
    relay: record.relay,
    device: record.device,
    keyFile: fromConfig(folder, keyFile),
    ...(ca === undefined ? {} : { ca: fromConfig(folder, ca) }),
    ...(insecure ? { insecure } : {}),
  });
  warnOfOtherRelay(config, record.relay, host);
  const next = config.has('sources')
    ? '. Now run'
    : ': say in its "sources" what may be asked, then run';
  host.writeOut(
    `Enrolled as ${record.device} at ${record.relay}.\n` +
      `The configuration is ${config.path}${next}\n` +
      `  pullwire-agent run --config ${config.path}\n`,
  );
}

/** Where an agent dials can differ from where it enrols, so this shows only once the relay has said where. */
function warnOfOtherRelay(config: EnrolledConfig, relay: string, host: CliHost): void {
  const written = config.text('relay');
  if (written === undefined || readRelayUrl(written) === new URL(relay).href) return;
  const other = URL.parse(written)?.host ?? 'no URL';
  host.writeError(
    `pullwire-agent: ${config.path} has another "relay" (${other}), which was kept: run will dial that one and not ${relay}\n`,
  );
}

/** Command lines can be seen by others: `-` reads it from stdin, and the environment will do as well. */
function codeOf({ code }: EnrollOptions, { env }: CliHost): string {
  const text = code === '-' ? readFileSync(0, 'utf8').trim() : (code ?? env[enrollCodeVariable]);
  if (text) return text;
  throw new EnrolError(
    `there is no code: give --code CODE, --code - for stdin, or ${enrollCodeVariable}`,
  );
}

function chosen(key: string, given: string | undefined, written: string | undefined) {
  if (given === undefined || written === undefined || given === written) return given ?? written;
  throw new ConfigError([{ key, value: written, expected: `${given}, as the command line says` }]);
}

function secureContextOf(caFile: string | undefined) {
  const ca = readAuthorities(caFile ?? null);
  if ('problems' in ca) throw new ConfigError(ca.problems);
  return relayTrust(ca.pem);
}

const fromFolder = (folder: string, path: string | undefined) => path && resolve(folder, path);

/** As it is read again: relative to the configuration where it lies below it. */
function fromConfig(folder: string, path: string): string {
  const way = relative(folder, path);
  return way.startsWith('..') || isAbsolute(way) ? path : way;
}
