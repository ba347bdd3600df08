import { resolve } from 'node:path';
import { generateDeviceKey, publicKeyText, writeDeviceKey } from '../identity/device-key.ts';
import type { CliHost } from './cli-host.ts';

/** Writes a new private key to `out` and prints the public half, in one line and nothing else. */
export async function keygen(out: string, host: CliHost): Promise<void> {
  const key = await generateDeviceKey();
  await writeDeviceKey(resolve(host.workingFolder, out), key);
  host.writeOut(`${publicKeyText(key)}\n`);
}
