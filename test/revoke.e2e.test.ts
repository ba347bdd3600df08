import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CloudWorld } from './src/cloud-world.ts';
import type { Program } from './src/program.ts';
import { World } from './src/world.ts';

/** `/stream` begins and goes on, a line a tick of the test; anything else is answered at once. */
class Ticker {
  readonly #open = new Set<ServerResponse>();
  readonly #server: Server = createServer((request, response) => {
    if (request.url !== '/stream') return response.end('quick');
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    this.#open.add(response);
    response.on('close', () => this.#open.delete(response));
    return response.write('data: begun\n\n');
  });

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** One line to everybody who listens still. */
  tick(): void {
    for (const response of this.#open) response.write('data: more\n\n');
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

interface Revoking {
  readonly victim: string;
  readonly other: string;
  readonly agent: Program;
  pull(path: string, device: string): Promise<Response>;
  revoke(): Promise<void>;
  /** The victim's agent once more, as its supervisor would. */
  restart(): Promise<Program>;
  stop(): Promise<void>;
}

const ticker = new Ticker();
let url = '';

const sources = () => ({ web: { kind: 'http', url, allow: [{ paths: ['/**'] }] } });
const reason = ['--reason', 'the van was stolen'];

async function oneBox(): Promise<Revoking> {
  const world = await World.start({ sources: sources() });
  const other = await world.startFurtherAgent('plant-8', sources());
  const get = (path: string, device: string) =>
    fetch(`${world.url}/devices/${device}/sources/web${path}`, {
      headers: { 'Pullwire-Key': world.callerKey },
    });
  return {
    victim: world.device,
    other: 'plant-8',
    agent: world.agent,
    pull: get,
    revoke: async () => {
      await world.operate(['device', 'revoke', world.device, ...reason]);
    },
    restart: async () => world.runAgent(),
    stop: async () => {
      await other.stop();
      await world.stop();
    },
  };
}

async function strictGateway(): Promise<Revoking> {
  const world = await CloudWorld.start({ sources: sources(), agents: 2 });
  const connections = world.aws.gateway.connectionsUrl;
  return {
    victim: 'plant-1',
    other: 'plant-2',
    agent: world.agentOf('plant-1'),
    pull: (path, device) => world.pull('web', path, {}, device),
    revoke: async () => {
      await world.operate([
        'device',
        'revoke',
        'plant-1',
        ...reason,
        '--connections-url',
        connections,
      ]);
    },
    restart: async () => world.runAgentAgain('plant-1'),
    stop: () => world.stop(),
  };
}

beforeAll(async () => {
  url = await ticker.start();
});

afterAll(() => ticker.stop());

/** Reads until the stream breaks or ends; resolves with the moment. */
async function endOf(answer: Response): Promise<number> {
  await answer.text().catch(() => undefined);
  return performance.now();
}

describe.each([
  ['one box', oneBox],
  ['strict gateway', strictGateway],
] as const)('on %s', (name, start) => {
  let host: Revoking;
  let timer: NodeJS.Timeout;

  beforeAll(async () => {
    host = await start();
    timer = setInterval(() => ticker.tick(), 50);
  });

  afterAll(async () => {
    clearInterval(timer);
    await host?.stop();
  });

  test('a revocation in mid-stream ends the link and the pull, tells the agent why, and disturbs nobody else', async () => {
    const [broken, kept] = await Promise.all([
      host.pull('/stream', host.victim),
      host.pull('/stream', host.other),
    ]);
    expect([broken.status, kept.status]).toEqual([200, 200]);
    const ended = endOf(broken);
    const reader = kept.body?.getReader();
    await reader?.read();

    const [revokedAt, exitCode] = await Promise.all([
      host.revoke().then(() => performance.now()),
      host.agent.ended,
    ]);
    expect(exitCode).toBe(77);
    const agentEndedAt = performance.now();
    const text = host.agent.lines.filter(({ msg }) => msg === undefined).map((line) => line.text);
    expect(text.join('\n')).toContain('the van was stolen');
    expect(text.join('\n')).toContain('revoked');
    if (name === 'one box') {
      expect((await ended) - revokedAt).toBeLessThan(1_000);
      expect(agentEndedAt - revokedAt).toBeLessThan(2_000);
    }

    // Nothing succeeds from then on, 10 s later at the latest.
    let lastRight = revokedAt;
    while (performance.now() - revokedAt < (name === 'one box' ? 1_000 : 11_000)) {
      const answer = await host.pull('/x', host.victim);
      if (answer.status === 200) lastRight = performance.now();
      else expect(await answer.json()).toMatchObject({ status: 503, code: 'device-offline' });
    }
    expect(lastRight - revokedAt).toBeLessThan(name === 'one box' ? 1 : 10_000);
    const offline = await host.pull('/x', host.victim);
    expect(await offline.json()).toMatchObject({ code: 'device-offline', why: 'revoked' });

    // The other one's stream has gone on all the while.
    expect((await reader?.read())?.done).toBe(false);
    await reader?.cancel();
    expect((await host.pull('/x', host.other)).status).toBe(200);

    const again = await host.restart();
    if (name === 'one box') expect(await again.ended).toBe(77);
    else await again.line(({ text: line }) => line.includes('403'), 0);
    await again.stop();
  });
});
