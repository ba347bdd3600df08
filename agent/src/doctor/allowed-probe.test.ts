import { describe, expect, it } from 'vitest';
import { allowedProbe } from './allowed-probe.ts';

const readOnly = ['GET', 'HEAD'];

describe('allowedProbe', () => {
  it.each([
    ['a path as it stands', ['GET', 'HEAD'], ['/metrics'], { method: 'HEAD', path: '/metrics' }],
    ['HEAD is not allowed', ['GET'], ['/metrics'], { method: 'GET', path: '/metrics' }],
    ['everything below', readOnly, ['/api/**'], { method: 'HEAD', path: '/api/' }],
    ['everything', readOnly, ['/**'], { method: 'HEAD', path: '/' }],
    ['a name to be encoded', readOnly, ['/über uns'], { method: 'HEAD', path: '/%C3%BCber%20uns' }],
    ['the first that can be asked', readOnly, ['/x/*', '/y'], { method: 'HEAD', path: '/y' }],
  ])('%s', (_what, methods, paths, probe) => {
    expect(allowedProbe([{ methods, paths }])).toEqual(probe);
  });

  it.each([
    ['no rule at all', []],
    ['only wildcards', [{ methods: readOnly, paths: ['/jobs/*', '/logs/*.log'] }]],
    ['only methods that act', [{ methods: ['POST'], paths: ['/jobs'] }]],
  ])('nothing may be asked: %s', (_what, rules) => {
    expect(allowedProbe(rules)).toBeUndefined();
  });

  it('does not mix the method of one rule with the path of another', () => {
    const rules = [
      { methods: ['POST'], paths: ['/jobs'] },
      { methods: ['GET'], paths: ['/state'] },
    ];
    expect(allowedProbe(rules)).toEqual({ method: 'GET', path: '/state' });
  });

  it('a rule for some callers counts: the path is one that may be asked', () => {
    const rules = [{ methods: ['GET'], paths: ['/state'], callers: ['ops'] }];
    expect(allowedProbe(rules)).toEqual({ method: 'GET', path: '/state' });
  });
});
