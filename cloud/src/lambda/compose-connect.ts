import type { Logger } from 'pino';
import type { Registry } from '../registry/registry.ts';
import { createConnect } from './connect.ts';
import { linkFields } from './link-fields.ts';

export interface ConnectComposition {
  readonly registry: Pick<Registry, 'link' | 'openLink'>;
  readonly log: Logger;
}

export function composeConnect({ registry, log }: ConnectComposition) {
  return createConnect({
    registry,
    opened: (link) => log.info(linkFields(link), 'link accepted'),
    refused: (link, detail) => log.warn({ ...linkFields(link), detail }, 'link refused'),
  });
}
