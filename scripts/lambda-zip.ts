import { zipSync } from 'fflate';

/**
 * A zip of these files whose bytes follow from their names and contents alone: the same build deploys nothing twice.
 * Readable by all, since Lambda runs as another user than the one it unpacks as.
 */
export function deterministicZip(files: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const names = Object.keys(files).sort();
  return zipSync(Object.fromEntries(names.map((name) => [name, files[name] as Uint8Array])), {
    level: 9,
    os: 3,
    attrs: 0o100644 << 16,
    // Without a zone: a zip holds local time, so this reads the same everywhere.
    mtime: new Date(1980, 0, 1),
  });
}
