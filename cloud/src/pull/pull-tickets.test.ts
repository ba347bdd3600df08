import { expect, test } from 'vitest';
import { PullTickets } from './pull-tickets.ts';

const hour = 3_600_000;

function bench() {
  let now = 0;
  let ids = 0;
  const tickets = new PullTickets({
    newPullId: () => {
      ids += 1;
      return `p${ids}`;
    },
    replyTo: ({ pullId, device, expiresAt }) => `${pullId} ${device} ${expiresAt}`,
    wall: () => now,
  });
  return {
    tickets,
    move: (ms: number) => {
      now += ms;
    },
  };
}

test('each ticket is given once, and is signed for its pull and device', () => {
  const { tickets } = bench();
  const given = Array.from({ length: 100 }, (_, i) => tickets.next(i % 2 === 0 ? 'a' : 'b'));
  expect(new Set(given.map(({ pullId }) => pullId)).size).toBe(100);
  for (const [i, { pullId, replyTo }] of given.entries()) {
    expect(replyTo).toBe(`${pullId} ${i % 2 === 0 ? 'a' : 'b'} ${25 * 3_600}`);
  }
});

test('a ticket that was signed long ago is not given any more', () => {
  const { tickets, move } = bench();
  tickets.next('a');
  move(hour);
  expect(tickets.next('a').replyTo).toContain(String(26 * 3_600));
});
