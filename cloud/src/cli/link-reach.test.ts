import { describe, expect, test } from 'vitest';
import { loadConfig } from '../config/load-config.ts';
import { PostError, type Poster } from '../connection/poster.ts';
import type { LinkRecord } from '../registry/registry.ts';
import type { CliContext } from './cli-context.ts';
import { GatewayReach, reachOf } from './link-reach.ts';

const link = (connectionId: string, more: Partial<LinkRecord> = {}): LinkRecord => ({
  device: 'plant-7',
  instance: connectionId,
  connectionId,
  connectedAt: 1,
  subprotocol: 'pullwire.v1+json',
  agent: 'a/1',
  sources: [],
  labels: {},
  features: ['rotate'],
  ...more,
});

/** A gateway that has lost the connections in `gone`, and fails for those in `failing`. */
function bench({ gone = [], failing = [] }: { gone?: string[]; failing?: string[] } = {}) {
  const calls: string[] = [];
  let said = '';
  const poster: Poster = {
    post: async (id, text) => {
      if (gone.includes(id)) throw new PostError('gone', 'gone');
      if (failing.includes(id)) throw new PostError('failed', 'cannot post: status 403');
      calls.push(`post ${id} ${text}`);
    },
    disconnect: async (id) => {
      calls.push(`disconnect ${id}`);
    },
  };
  const note = (text: string) => {
    said += text;
  };
  return { calls, said: () => said, reach: new GatewayReach(note, async () => poster) };
}

describe('through API Gateway', () => {
  test('each link of a device is told why, and ended', async () => {
    const { calls, said, reach } = bench();
    await reach.end([link('c1')], 'the van was stolen');
    expect(calls).toEqual([
      'post c1 {"action":"bye","code":"revoked","reason":"the van was stolen"}',
      'disconnect c1',
    ]);
    expect(said()).toBe('links ended: 1 of 1\n');
  });

  test('a link that another is about to take the place of is ended too', async () => {
    const { calls, reach } = bench();
    await reach.end([link('c2', { replaces: 'c1' })], 'why');
    expect(calls.filter((call) => call.startsWith('disconnect'))).toEqual([
      'disconnect c2',
      'disconnect c1',
    ]);
  });

  test('one that is gone needs no word, and one that fails keeps no other from its own', async () => {
    const { calls, said, reach } = bench({ gone: ['c1'], failing: ['c2'] });
    await expect(reach.end([link('c1'), link('c2'), link('c3')], 'why')).rejects.toThrow('403');
    expect(calls).toContain('disconnect c1');
    expect(calls).toContain('disconnect c3');
    expect(said()).toBe('links ended: 2 of 3\n');
  });

  test('agents are asked for another key', async () => {
    const { calls, said, reach } = bench();
    await reach.ask([link('c1')]);
    expect(calls).toEqual(['post c1 {"action":"rotate"}']);
    expect(said()).toBe('links asked: 1 of 1\n');
  });

  test('without an open link nothing is dialled', async () => {
    let said = '';
    const reach = new GatewayReach(
      (text) => {
        said += text;
      },
      () => Promise.reject(new Error('dialled')),
    );
    await reach.end([], 'why');
    expect(said).toBe('no link is open\n');
  });
});

describe('what a command can reach', () => {
  function noteOf(flags: Record<string, string>, run: 'end' | 'ask'): Promise<string> {
    let said = '';
    const note = (text: string) => {
      said += text;
    };
    const config = loadConfig({ file: undefined, env: {}, flags, workingFolder: '/' });
    const reach = reachOf(config, { note } as CliContext);
    return (run === 'end' ? reach.end([link('c1')], 'why') : reach.ask([link('c1')])).then(
      () => said,
    );
  }
  const table = { 'table.name': 'pullwire', 'table.region': 'eu-west-1' };

  test('on one box a relay that runs sees to it', async () => {
    expect(await noteOf({}, 'end')).toBe('');
  });

  test('on AWS without --connections-url it says what holds when', async () => {
    const ended = await noteOf(table, 'end');
    for (const part of ['within 10 seconds', 'at most 2 hours', '--connections-url']) {
      expect(ended).toContain(part);
    }
    expect(await noteOf(table, 'ask')).toContain('within 2 hours');
  });
});
