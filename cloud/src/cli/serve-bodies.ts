import { randomBytes } from 'node:crypto';
import type { Clock } from '@pullwire/shared';
import { FolderBodies } from '../object/folder-bodies.ts';

/** Bodies in a folder of a server's data folder, wherever its table is. Rejects with `ObjectStoreError`. */
export async function openBodies(folder: string, clock: Clock): Promise<FolderBodies> {
  const newId = () => randomBytes(16).toString('base64url');
  const bodies = new FolderBodies({ folder, clock, newId });
  await bodies.start();
  return bodies;
}
