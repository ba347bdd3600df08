import { generateKeyPairSync } from 'node:crypto';
import { publicKeyText } from '../../agent/src/identity/device-key.ts';
import { embeddedTable } from '../../cloud/src/cli/open-registry.ts';
import { DynamoRegistry } from '../../cloud/src/registry/dynamo-registry.ts';
import { startEngine } from '../../cloud/src/server/engine.ts';

/** A device that the registry knows. */
export interface FleetDevice {
  readonly device: string;
  /** PKCS #8, PEM. */
  readonly privateKey: string;
}

/** Writes under way at a time. */
const writers = 16;

/** Makes devices `name-0`, `name-1`… and writes them into the registry of a relay that is not running. */
export async function enrolFleet(
  name: string,
  size: number,
  dataFolder: string,
): Promise<readonly FleetDevice[]> {
  const signal = new AbortController().signal;
  const engine = await startEngine({ dataFolder, owner: 'command', signal, onTrouble: fail });
  const client = engine.createClient();
  const registry = new DynamoRegistry({ client, name: embeddedTable, mayCreateTable: true });
  await registry.ensureSchema();
  const devices: FleetDevice[] = [];
  const add = async () => {
    while (devices.length < size) {
      const { privateKey } = generateKeyPairSync('ed25519');
      const device = `${name}-${devices.length}`;
      const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
      devices.push({ device, privateKey: pem });
      const publicKey = publicKeyText(privateKey);
      await registry.addDevice({ device, publicKey, labels: {}, createdAt: Date.now() });
    }
  };
  await Promise.all(Array.from({ length: writers }, add));
  client.destroy();
  await engine.stop();
  return devices;
}

function fail(error: unknown): never {
  throw error;
}
