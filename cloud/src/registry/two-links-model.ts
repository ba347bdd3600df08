/** For tests: what two links of one instance went through, as whoever watches them from outside would tell it. */

export type LinkName = 'older' | 'newer';
export const linkEvents = ['connect', 'hello', 'drain', 'gone', 'disconnect'] as const;
export type LinkEvent = (typeof linkEvents)[number];

interface Life {
  /** Its handshake was accepted, its hello was, it wants no new pulls. */
  readonly came: boolean;
  readonly greeted: boolean;
  readonly drains: boolean;
  /** Its first last word, or that it was told to go since the newer one had said hello. */
  readonly end: 'gone' | 'disconnect' | 'replaced' | undefined;
}

export type TwoLinks = Readonly<Record<LinkName, Life>>;

const unborn: Life = { came: false, greeted: false, drains: false, end: undefined };
export const nobody: TwoLinks = { older: unborn, newer: unborn };

/** Whether the relay goes along with the event, and what has become of the links then. */
export function after(
  links: TwoLinks,
  name: LinkName,
  event: LinkEvent,
): { readonly taken: boolean; readonly links: TwoLinks } {
  const life = links[name];
  const rival = name === 'older' ? links.newer : unborn;
  const alive = life.came && life.end === undefined;
  const becomes = (change: Partial<Life>) => ({
    taken: true,
    links: { ...links, [name]: { ...life, ...change } },
  });
  const nothing = { taken: false, links };
  switch (event) {
    case 'connect':
      if (life.came) return { taken: alive && !rival.came, links };
      return rival.came ? nothing : becomes({ came: true });
    case 'hello': {
      // Whoever was not greeted before a newer link came, or drains, has nothing to say any more.
      if (!alive || (rival.came && (!life.greeted || life.drains))) return nothing;
      const { links: now } = becomes({ greeted: true });
      const dismissed = name === 'newer' && isAlive(links.older) && !links.older.drains;
      return { taken: true, links: dismissed ? replaced(now) : now };
    }
    case 'drain':
      return alive && !(rival.came && !serves(links, name)) ? becomes({ drains: true }) : nothing;
    case 'gone':
    case 'disconnect':
      return alive && !(rival.came && !serves(links, name)) ? becomes({ end: event }) : nothing;
  }
}

/** The link that should take the pulls: the newest that said hello, is there and does not drain. */
export function takesPulls(links: TwoLinks): LinkName | undefined {
  if (serves(links, 'newer')) return 'newer';
  return serves(links, 'older') ? 'older' : undefined;
}

function serves(links: TwoLinks, name: LinkName): boolean {
  const life = links[name];
  const outdone = name === 'older' && links.newer.greeted;
  return isAlive(life) && life.greeted && !life.drains && !outdone;
}

function isAlive({ came, end }: Life): boolean {
  return came && end === undefined;
}

function replaced(links: TwoLinks): TwoLinks {
  return { ...links, older: { ...links.older, end: 'replaced' } };
}
