import { codecFor, type RelayMessage } from '@pullwire/shared';
import type { RelayConfig } from '../config/relay-config.ts';
import { PostError, type Poster } from '../connection/poster.ts';
import type { LinkRecord } from '../registry/registry.ts';
import type { CliContext } from './cli-context.ts';

/** What a command can do about a device's links, beyond what it wrote to the registry. */
export interface LinkReach {
  /** Ends them; the agents are told why, for good. */
  end(links: readonly LinkRecord[], why: string): Promise<void>;
  /** Tells the agents that another key is wanted. */
  ask(links: readonly LinkRecord[]): Promise<void>;
}

/** A relay on one box hears of the registry's change, and sees to its links itself; API Gateway hears of nothing. */
export function reachOf(config: RelayConfig, { note }: CliContext): LinkReach {
  const { table, connectionsUrl } = config;
  if (connectionsUrl !== undefined) {
    return new GatewayReach(note, () => openPoster(connectionsUrl, table?.region));
  }
  return table === undefined ? nothingToDo : new OutOfReach(note);
}

const nothingToDo: LinkReach = { end: async () => undefined, ask: async () => undefined };

/** Says what holds when. */
class OutOfReach implements LinkReach {
  readonly #note: CliContext['note'];

  constructor(note: CliContext['note']) {
    this.#note = note;
  }

  async end(): Promise<void> {
    this.#note(
      'New pulls are refused within 10 seconds, new links at once. On AWS an open socket lasts until its end of life,' +
        ' at most 2 hours: with --connections-url this command ends it now.\n',
    );
  }

  async ask(): Promise<void> {
    this.#note(
      'On AWS the agent is told when it opens its next link, within 2 hours: with --connections-url it is told now.\n',
    );
  }
}

/** By API Gateway's `@connections`, with the operator's own credentials. */
export class GatewayReach implements LinkReach {
  readonly #note: CliContext['note'];
  readonly #open: () => Promise<Poster>;

  constructor(note: CliContext['note'], open: () => Promise<Poster>) {
    this.#note = note;
    this.#open = open;
  }

  async end(links: readonly LinkRecord[], why: string): Promise<void> {
    await this.#each(links, 'ended', async (poster, id) => {
      const bye = { action: 'bye', code: 'revoked', reason: why } as const;
      // Whatever becomes of the last word, the connection ends.
      const [said] = await Promise.allSettled([post(poster, id, bye)]);
      await poster.disconnect(id);
      if (said.status === 'rejected') throw said.reason;
    });
  }

  async ask(links: readonly LinkRecord[]): Promise<void> {
    await this.#each(links, 'asked', (poster, id) => post(poster, id, { action: 'rotate' }));
  }

  /** Every link has its turn, whatever becomes of the others. Throws the first error. */
  async #each(
    links: readonly LinkRecord[],
    done: string,
    run: (poster: Poster, connectionId: string) => Promise<void>,
  ): Promise<void> {
    if (links.length === 0) return this.#note('no link is open\n');
    const poster = await this.#open();
    const ids = links.flatMap(connectionsOf);
    const results = await Promise.allSettled(ids.map((id) => run(poster, id)));
    const failed = results.filter((result) => result.status === 'rejected');
    this.#note(`links ${done}: ${results.length - failed.length} of ${results.length}\n`);
    if (failed[0] !== undefined) throw failed[0].reason;
  }
}

/** A link that took the place of another may not have said hello yet: until then the other one goes on. */
function connectionsOf({ connectionId, replaces }: LinkRecord): string[] {
  return replaces === undefined ? [connectionId] : [connectionId, replaces];
}

/** Whoever is gone needs to be told nothing. */
async function post(poster: Poster, connectionId: string, message: RelayMessage): Promise<void> {
  try {
    await poster.post(connectionId, codecFor('pullwire.v1+json').encode(message) as string);
  } catch (error) {
    if (!(error instanceof PostError) || error.code !== 'gone') throw error;
  }
}

/** The SDK is loaded where it is used: no other command waits for it. It finds the credentials by itself. */
async function openPoster(endpoint: string, region: string | undefined): Promise<Poster> {
  const { ApiGatewayManagementApiClient } = await import('@aws-sdk/client-apigatewaymanagementapi');
  const { GatewayPoster } = await import('../lambda/gateway-poster.ts');
  const place = region === undefined ? {} : { region }; // else the one that every AWS tool takes
  return new GatewayPoster(
    new ApiGatewayManagementApiClient({ endpoint, ...place, maxAttempts: 1 }),
  );
}
