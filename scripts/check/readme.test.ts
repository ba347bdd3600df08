import { expect, it } from 'vitest';
import { withReferences } from './readme.ts';

const empty =
  'a\n<!-- agent-config:begin -->\n<!-- agent-config:end -->\nb\n<!-- relay-config:begin -->\n<!-- relay-config:end -->\n';

it('fills in every setting of both programs, and is stable', () => {
  const filled = withReferences(empty);
  expect(filled).toContain('| `relay` | `PULLWIRE_AGENT_RELAY` `--relay` |');
  expect(filled).toContain('| `listen` | `PULLWIRE_RELAY_LISTEN`');
  expect(withReferences(filled)).toBe(filled);
});

it('says when a setting was changed by hand', () => {
  const filled = withReferences(empty);
  expect(withReferences(filled.replace('PULLWIRE_AGENT_RELAY', 'X'))).toBe(filled);
});

it('fails where a marker is missing', () => {
  expect(() => withReferences('no markers')).toThrow('agent-config');
});
