import { devicePattern } from '@pullwire/shared';
import { UsageError } from './usage-error.ts';

/** The id as it was given. Throws `UsageError` where no device can have it. */
export function checkedDeviceId(id: string): string {
  if (devicePattern.test(id)) return id;
  throw new UsageError(
    `"${id}" is no device id: 1 to 128 letters, digits, ".", "_", ":" or "-", beginning with a letter or digit`,
  );
}
