import { ManualClock } from '@pullwire/shared/manual-clock';
import { metricsText } from '@pullwire/shared/metrics';
import { beforeEach, describe, expect, it } from 'vitest';
import type { PullAudit } from '../pull/agent-pull.ts';
import { SourceTally } from './source-tally.ts';

const line: PullAudit = {
  pullId: 'AAECAwQFBgcICQoLDA0ODw',
  caller: 'ops',
  source: 'metrics',
  method: 'GET',
  path: '/',
  outcome: 'done',
  stage: undefined,
  detail: undefined,
  status: 200,
  bytes: 10,
  ms: 20,
};

let tally: SourceTally;

beforeEach(() => {
  tally = new SourceTally(new ManualClock());
  tally.use(['metrics', 'logs']);
});

describe('the tally of sources', () => {
  it('says of each source how often it was asked, and what came of it last', () => {
    tally.note(line);
    tally.note({ ...line, outcome: 'upstream-timeout', status: undefined, bytes: 0, ms: 5_000 });
    expect(tally.snapshot()).toEqual([
      {
        source: 'metrics',
        pulls: 2,
        outcomes: { done: 1, 'upstream-timeout': 1 },
        bytes: 10,
        last: {
          at: new Date(new ManualClock().wall()).toISOString(),
          outcome: 'upstream-timeout',
          status: undefined,
          ms: 5_000,
        },
      },
      { source: 'logs', pulls: 0, outcomes: {}, bytes: 0, last: undefined },
    ]);
  });

  it('does not grow, whatever is asked for and whatever the relay says', () => {
    for (let i = 0; i < 1_000; i += 1) {
      tally.note({ ...line, source: `no-${i}`, outcome: 'source-unknown' });
      tally.note({ ...line, outcome: `made-up-${i}` });
    }
    const lines = metricsText(tally.metrics())
      .split('\n')
      .filter((text) => text.startsWith('pullwire_agent_pulls_total'));
    expect(lines).toEqual([
      'pullwire_agent_pulls_total{source="metrics",outcome="other"} 1000',
      'pullwire_agent_pulls_total{source="-",outcome="source-unknown"} 1000',
    ]);
  });

  it('keeps what it knows of sources that stay over a reload, and forgets the others', () => {
    tally.note(line);
    tally.note({ ...line, source: 'logs' });
    tally.use(['metrics', 'new']);
    expect(tally.snapshot().map(({ source, pulls }) => [source, pulls])).toEqual([
      ['metrics', 1],
      ['new', 0],
    ]);
  });
});
