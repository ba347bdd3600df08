import type { Logger } from 'pino';
import type { Registry } from '../registry/registry.ts';
import { createDisconnect } from './disconnect.ts';
import { linkFields } from './link-fields.ts';

export interface DisconnectComposition {
  readonly registry: Pick<Registry, 'closeLink'>;
  readonly log: Logger;
}

export function composeDisconnect({ registry, log }: DisconnectComposition) {
  return createDisconnect({
    registry,
    closed: (link, why) => log.info({ ...linkFields(link), why }, 'link closed'),
  });
}
