import { expect, it } from 'vitest';
import { markdownTable } from './markdown-table.ts';

it('lines up, the first column to the left and the others to the right', () => {
  const rows = [
    ['200 B', '1,234 (0.42)', '–'],
    ['1 MB', '9'],
  ];
  expect(markdownTable(['case', 'pullwire', 'ssh -R'], rows)).toBe(
    [
      '| case  |     pullwire | ssh -R |',
      '| ----- | -----------: | -----: |',
      '| 200 B | 1,234 (0.42) |      – |',
      '| 1 MB  |            9 |        |',
    ].join('\n'),
  );
});

it('keeps a bar inside its cell', () => {
  expect(markdownTable(['a'], [['x|y']])).toContain('| x\\|y |');
});
