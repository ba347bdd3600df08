import { rm } from 'node:fs/promises';
import { type RelayManifest, readRelayManifest } from '../relay-manifest.ts';
import { deployRelay, type RelayOnMinistack } from './deploy-relay.ts';
import { DialledSocket } from './dial.ts';
import { Ministack } from './ministack.ts';
import { plantZips } from './plant-zips.ts';
import type { Tap } from './tap.ts';

/** The planted functions on a ministack of their own, deployed as the real ones are. */
export class PlantedRelay {
  readonly ministack: Ministack;
  readonly relay: RelayOnMinistack;
  readonly #zipFolder: string;

  private constructor(ministack: Ministack, relay: RelayOnMinistack, zipFolder: string) {
    this.ministack = ministack;
    this.relay = relay;
    this.#zipFolder = zipFolder;
  }

  /** `tap`: through which its functions and its clients come. */
  static async start(tap?: Tap): Promise<PlantedRelay> {
    const manifest = withPlantedVariables(readRelayManifest());
    const [ministack, zipFolder] = await Promise.all([
      Ministack.start(tap === undefined ? {} : { AWS_ENDPOINT_URL: tap.url }),
      plantZips(Object.keys(manifest.functions)),
    ]);
    tap?.before(ministack.endpoint);
    try {
      const origin = tap === undefined ? {} : { origin: tap.url };
      const relay = await deployRelay(ministack, { zipFolder, manifest, ...origin });
      return new PlantedRelay(ministack, relay, zipFolder);
    } catch (error) {
      await ministack.stop();
      throw error;
    }
  }

  /** An agent's socket, as far as the planted authorizer cares. */
  dial(device = 'plant-7'): Promise<DialledSocket> {
    return DialledSocket.dial(this.relay.linkUrl, {
      headers: { Authorization: `agent ${device}` },
    });
  }

  /** What the http function answers. */
  async ask<T>(path: string, init: RequestInit = {}): Promise<T> {
    const answer = await fetch(this.relay.httpUrl + path, init);
    if (!answer.ok)
      throw new Error(`${path} was answered ${answer.status}: ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  async stop(): Promise<void> {
    await this.ministack.stop();
    await rm(this.#zipFolder, { recursive: true, force: true });
  }
}

/** The planted ones write down what they see: each needs the table, and the address for posts. */
function withPlantedVariables(manifest: RelayManifest): RelayManifest {
  const functions = Object.entries(manifest.functions).map(([key, each]) => {
    const environment = [...each.environment, 'PULLWIRE_CONNECTIONS_URL', 'PULLWIRE_TABLE'];
    return [key, { ...each, environment: [...new Set(environment)] }];
  });
  return { ...manifest, functions: Object.fromEntries(functions) };
}
