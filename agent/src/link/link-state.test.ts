import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { type LinkEvent, type LinkState, linkEvents, linkStates, linkStep } from './link-state.ts';

/** As PROTOCOL.md has it: what is done, and the next state where it is another. */
function cellText(state: LinkState, event: LinkEvent): string {
  const step = linkStep(state, event);
  const does = step.does === 'nothing' ? '–' : step.does;
  return step.state === state ? does : `${does} → \`${step.state}\``;
}

test('a link at the agent has the states that PROTOCOL.md says', async () => {
  const page = await readFile(new URL('../../../shared/PROTOCOL.md', import.meta.url), 'utf8');
  const table = page.split('**At the agent**')[1]?.split('`wrong-welcome`:')[0] ?? '';
  const said = [...table.matchAll(/^\| `([a-z-]+)` \| (.+) \| (.+) \| (.+) \|$/gm)];
  const rows = said.map(([, event, ...words]) => [event, ...words]);
  const states = linkStates.slice(0, 3);
  expect(rows).toEqual(
    linkEvents.map((event) => [event, ...states.map((state) => cellText(state, event))]),
  );
});

test('nothing happens to a link that is closed', () => {
  for (const event of linkEvents) {
    expect(linkStep('closed', event)).toEqual({ state: 'closed', does: 'nothing' });
  }
});
