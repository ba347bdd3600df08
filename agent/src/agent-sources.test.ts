import { ManualClock } from '@pullwire/shared/manual-clock';
import { describe, expect, it } from 'vitest';
import { AgentSources } from './agent-sources.ts';
import type { PolicedSource } from './pull/policed-source.ts';
import { parseSources, type SourceConfigs } from './source/source-config.ts';

function configsOf(value: unknown): SourceConfigs {
  const parsed = parseSources(value);
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  return parsed.sources;
}

const files = { kind: 'file', root: '/tmp', allow: [{ paths: ['/**'] }] };
const asked = { method: 'GET', path: '/a', bodyLength: 0, caller: 'ops' };

function open() {
  const clock = new ManualClock();
  let used: ReadonlyMap<string, PolicedSource> = new Map();
  const deps = { clock, env: {}, readFile: () => Buffer.alloc(0) };
  const sources = new AgentSources(deps, (current) => {
    used = current;
  });
  const replace = (value: unknown) => sources.replace(configsOf(value), () => {});
  return {
    clock,
    sources,
    replace,
    use: (name: string) => used.get(name),
    names: () => [...used.keys()],
  };
}

describe('AgentSources', () => {
  it('keeps a replaced source until its last pull has ended', async () => {
    const { clock, replace, use, names } = open();
    await replace({ logs: files });
    const admission = use('logs')?.policy.admit(asked);
    await replace({ other: files });
    expect(names()).toEqual(['other']);
    clock.advance(5_000);
    expect(clock.pending).toBe(1);
    admission?.release();
    clock.advance(5_000);
    expect(clock.pending).toBe(0);
  });

  it('drops a replaced source at once where no pull is under way', async () => {
    const { clock, replace } = open();
    await replace({ logs: files });
    await replace({});
    expect(clock.pending).toBe(0);
  });

  it('leaves no timer when it is closed', async () => {
    const { clock, sources, replace, use } = open();
    await replace({ logs: files });
    use('logs')?.policy.admit(asked);
    await replace({});
    await sources.close();
    expect(clock.pending).toBe(0);
  });

  it('reports what is wrong with all sources at once, and changes nothing', async () => {
    const { replace, names } = open();
    await replace({ logs: files });
    const broken = { kind: 'http', url: 'http://127.0.0.1:1', headers: { a: { env: 'NOT_SET' } } };
    await expect(replace({ a: broken, b: broken })).rejects.toMatchObject({
      problems: [{ key: 'sources.a.headers.a' }, { key: 'sources.b.headers.a' }],
    });
    expect(names()).toEqual(['logs']);
  });

  it('changes nothing where the new ones are not admitted', async () => {
    const { sources, replace, names } = open();
    await replace({ logs: files });
    const refused = sources.replace(configsOf({ other: files }), () => {
      throw new Error('too many');
    });
    await expect(refused).rejects.toThrow('too many');
    expect(names()).toEqual(['logs']);
  });
});
