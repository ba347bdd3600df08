import { vi } from 'vitest';
import { ObjectStoreError } from '../../cloud/src/object/object-store-error.ts';
import type { PlantedFault, Seen } from './planted-fault.ts';

const notStored: Seen = {
  status: 502,
  code: 'reply-not-stored',
  stage: 'stream',
  retrySafe: false,
};
const large = '/bytes/200000';
/** Goes in two parts. */
const larger = '/bytes/9000000';

export const faultsInStorage: readonly PlantedFault[] = [
  {
    name: 'upload breaks off: it is tried again',
    sees: { status: 200, bytes: 200_000 },
    run(world) {
      vi.spyOn(world.aws.objects, 'accept').mockRejectedValueOnce(new Error('planted'));
      return world.pull(large);
    },
  },
  {
    name: 'upload breaks off again and again',
    sees: notStored,
    run(world) {
      const accept = vi.spyOn(world.aws.objects, 'accept');
      for (let attempt = 0; attempt < 3; attempt += 1)
        accept.mockRejectedValueOnce(new Error('planted'));
      return world.pull(large);
    },
  },
  {
    name: 'upload is refused',
    sees: notStored,
    run(world) {
      vi.spyOn(world.aws.objects, 'permissionOf').mockReturnValueOnce(undefined);
      return world.pull(large);
    },
  },
  {
    name: 'parts are not there when they are joined',
    sees: { ...notStored, retryAfter: 1 },
    run(world) {
      const { objects } = world.aws;
      const complete = objects.completeMultipart.bind(objects);
      vi.spyOn(objects, 'completeMultipart').mockImplementationOnce(async (key, id, parts) => {
        await objects.abortMultipart(key, id);
        await complete(key, id, parts);
      });
      return world.pull(larger);
    },
  },
  {
    name: 'object is gone before it is read',
    sees: { ...notStored, retryAfter: 1 },
    run(world) {
      const { objects } = world.aws;
      const open = objects.open.bind(objects);
      vi.spyOn(objects, 'open').mockImplementationOnce(async (key) => {
        await objects.remove(key);
        return open(key);
      });
      return world.pull(large);
    },
  },
  {
    name: 'storage is down',
    sees: { ...notStored, retryAfter: 1 },
    run(world) {
      const down = new ObjectStoreError('unavailable', 'planted');
      vi.spyOn(world.aws.objects, 'beginMultipart').mockRejectedValueOnce(down);
      return world.pull(larger);
    },
  },
];
