import { ManualClock } from '@pullwire/shared/manual-clock';
import { beforeEach, describe, expect, it } from 'vitest';
import { MessageBudget } from './message-budget.ts';

let clock: ManualClock;
let budget: MessageBudget;

beforeEach(() => {
  clock = new ManualClock();
  budget = new MessageBudget(clock);
});

/** How many messages pass before one is too many. */
function passing(): number {
  let passed = 0;
  while (passed < 1_000_000 && budget.spend()) passed += 1;
  return passed;
}

describe('the messages that no pull needs', () => {
  it('are 500 at once', () => {
    expect(passing()).toBe(500);
    expect(budget.spend()).toBe(false);
  });

  it('are 100 a second from then on, and 500 after a pause', () => {
    passing();
    clock.advance(1_000);
    expect(passing()).toBe(100);
    clock.advance(60_000);
    expect(passing()).toBe(500);
  });

  it('are more by each pull that may leave some behind, up to a bound', () => {
    for (let pull = 0; pull < 100; pull += 1) budget.pullBegan();
    expect(passing()).toBe(500 + 6_400);
    for (let pull = 0; pull < 100_000; pull += 1) budget.pullBegan();
    expect(passing()).toBe(65_536);
  });
});
