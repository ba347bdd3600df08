import type { Logger } from 'pino';
import { AgentAdmission } from '../auth/agent-admission.ts';
import type { Registry } from '../registry/registry.ts';
import { createConnect } from './connect.ts';
import { linkFields } from './link-fields.ts';

export interface ConnectComposition {
  readonly registry: Pick<
    Registry,
    'link' | 'replaceLink' | 'spendToken' | 'promoteKey' | 'addDevice'
  >;
  readonly log: Logger;
}

export function composeConnect({ registry, log }: ConnectComposition) {
  return createConnect({
    registry,
    admission: new AgentAdmission({
      registry,
      tokens: { spend: (...token) => registry.spendToken(...token) },
    }),
    opened: (link) => log.info(linkFields(link), 'link accepted'),
    refused: (link, detail) => log.warn({ ...linkFields(link), detail }, 'link refused'),
  });
}
