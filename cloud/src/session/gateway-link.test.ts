import { describe, expect, it } from 'vitest';
import type { LinkRecord } from '../registry/registry.ts';
import { isGreeted } from '../registry/serving-link.ts';
import { openGatewayLink } from './gateway-link.ts';

const opened = {
  connectionId: 'c2',
  connectedAt: 1_000_500,
  identity: { device: 'plant-7', instance: 'main' },
  subprotocol: 'pullwire.v1+json',
} as const;

async function written(
  stored: Partial<LinkRecord> | undefined,
  admitted: Promise<unknown> = Promise.resolve(),
): Promise<LinkRecord | undefined> {
  let link: LinkRecord | undefined;
  await openGatewayLink(
    {
      link: async () => stored && ({ connectedAt: 0, agent: 'a/1', ...stored } as LinkRecord),
      replaceLink: async (_before, record) => {
        link = record;
        return true;
      },
    },
    opened,
    admitted,
  );
  return link;
}

describe('a link at a gateway', () => {
  it('is believed for the 2 hours that its connection lives at most', async () => {
    expect(await written(undefined)).toMatchObject({ connectedAt: 1_000_500, expiresAt: 8_201 });
  });

  it('is read for beside the admission, and written after it only', async () => {
    const admission = Promise.withResolvers<void>();
    let read = false;
    const registry = {
      link: async () => {
        read = true;
        return undefined;
      },
      replaceLink: async () => true,
    };
    const opening = openGatewayLink(registry, opened, admission.promise);
    expect(read).toBe(true);
    admission.reject(new Error('replayed'));
    await expect(opening).rejects.toThrow('replayed');
    await expect(written(undefined, Promise.reject(new Error('no')))).rejects.toThrow('no');
  });

  it('remembers the open link whose place it takes, and no other', async () => {
    expect((await written({ connectionId: 'c1' }))?.replaces).toBe('c1');
    expect((await written({ connectionId: 'c1', closedAt: 5 }))?.replaces).toBeUndefined();
  });

  it('says since when the instance is there without a break, and when it came the last times', async () => {
    expect(await written(undefined)).toMatchObject({ ups: [1_000_500] });
    const open = { connectionId: 'c1', connectedAt: 900_000, expiresAt: 8_000 };
    const first = { upSince: 900_000, ups: [900_000] };
    expect(await written(open)).toMatchObject(first);
    expect(await written({ ...open, ...first, connectedAt: 950_000 })).toMatchObject(first);
    expect(await written({ ...open, ...first, drainingAt: 5 })).toMatchObject(first);
    for (const over of [{ closedAt: 1_000_000 }, { expiresAt: 1_000 }]) {
      const link = await written({ ...open, ...first, ...over });
      expect([link?.upSince, link?.ups]).toEqual([undefined, [900_000, 1_000_500]]);
    }
    const ups = Array.from({ length: 12 }, (_, at) => at);
    expect((await written({ ...open, closedAt: 5, ups }))?.ups).toEqual([
      ...ups.slice(1),
      1_000_500,
    ]);
  });

  it('leaves the pulls where they are, whoever came before and never said hello', async () => {
    const unsaid = { connectionId: 'c1', agent: '', replaces: 'c0' };
    expect((await written(unsaid))?.replaces).toBe('c0');
    expect((await written({ ...unsaid, closedAt: 5 }))?.replaces).toBe('c0');
  });

  it('replaces no link that drains: that one finishes its pulls', async () => {
    expect((await written({ connectionId: 'c1', drainingAt: 5 }))?.replaces).toBeUndefined();
  });

  it('is not written again where its handshake is handled twice', async () => {
    expect(await written({ connectionId: 'c2', agent: '' })).toBeUndefined();
  });

  it('is looked at again where another link came meanwhile, and not for ever', async () => {
    let tries = 0;
    const registry = {
      link: async () => undefined,
      replaceLink: async () => {
        tries += 1;
        return false;
      },
    };
    const opening = openGatewayLink(registry, opened, Promise.resolve());
    await expect(opening).rejects.toMatchObject({ code: 'unavailable' });
    expect(tries).toBe(8);
  });

  it('is described by the link that it replaces, until its own hello', async () => {
    const sources = [{ name: 'web', kind: 'http', methods: ['GET'] }];
    const older = { connectionId: 'c1', agent: 'a/1', sources, labels: {}, features: ['upload'] };
    const link = await written(older);
    expect(link).toMatchObject({ sources, features: ['upload'] });
    expect(link !== undefined && isGreeted(link)).toBe(false);
    expect(await written({ ...older, closedAt: 5 })).toMatchObject({ sources: [], features: [] });
  });
});
