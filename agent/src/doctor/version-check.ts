import { subprotocols } from '@pullwire/shared';
import { version } from '../version.ts';
import type { Check, Finding } from './check.ts';

/** What to name in a report. */
export const versionCheck: Check = {
  component: 'version',
  needs: [],
  limitMs: 1_000,
  target: () => 'agent',
  run: async ({ handshake }) => {
    const { platform, arch, version: node } = process;
    const own = `pullwire-agent/${version}, node ${node}, ${platform} ${arch}, speaks ${subprotocols.join(' and ')}`;
    const relay: Finding =
      handshake?.relay === undefined
        ? { target: 'relay', state: 'skipped', details: 'it did not say' }
        : { target: 'relay', state: 'ok', details: handshake.relay };
    return [{ target: 'agent', state: 'ok', details: own }, relay];
  },
};
