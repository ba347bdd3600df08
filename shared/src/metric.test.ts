import { describe, expect, it } from 'vitest';
import { Histogram } from './histogram.ts';
import { metric, metricBy, metricsText } from './metric.ts';

describe('metrics', () => {
  it('are written as the text format has it', () => {
    const text = metricsText([
      metric('gauge', 'a_up', 'Whether it is up.', 1),
      metricBy('counter', 'a_ends_total', 'How often it ended.', 'reason', {
        lost: 2,
        none: undefined,
      }),
      metric('gauge', 'a_unknown', 'Nobody knows.', undefined),
    ]);
    expect(text).toBe(
      '# HELP a_up Whether it is up.\n# TYPE a_up gauge\na_up 1\n' +
        '# HELP a_ends_total How often it ended.\n# TYPE a_ends_total counter\na_ends_total{reason="lost"} 2\n',
    );
  });

  it('escape what would end a line or a label', () => {
    const text = metricsText([metricBy('gauge', 'a', 'b\\c\nd', 'e', { 'f"g\\h\ni': 1 })]);
    expect(text).toBe('# HELP a b\\\\c\\nd\n# TYPE a gauge\na{e="f\\"g\\\\h\\ni"} 1\n');
  });

  it.each([
    [Number.POSITIVE_INFINITY, '+Inf'],
    [Number.NEGATIVE_INFINITY, '-Inf'],
    [Number.NaN, 'NaN'],
    [1e21, '1e+21'],
  ])('write %d as %s', (value, written) => {
    expect(metricsText([metric('gauge', 'a', 'b', value)])).toContain(`\na ${written}\n`);
  });
});

describe('a histogram', () => {
  it('counts each value in its bucket and in all above, and sums them', () => {
    const histogram = new Histogram([1, 2]);
    for (const value of [0.5, 1, 1.5, 9]) histogram.count(value);
    expect(histogram.samples({ source: 's' })).toEqual([
      { suffix: '_bucket', labels: { source: 's', le: '1' }, value: 2 },
      { suffix: '_bucket', labels: { source: 's', le: '2' }, value: 3 },
      { suffix: '_bucket', labels: { source: 's', le: '+Inf' }, value: 4 },
      { suffix: '_sum', labels: { source: 's' }, value: 12 },
      { suffix: '_count', labels: { source: 's' }, value: 4 },
    ]);
  });
});
