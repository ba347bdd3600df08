import { open, rename } from 'node:fs/promises';

/** Writes a file whole or not at all; it is on the disk when this resolves. Only its owner may use it, unless `mode` says else. */
export async function replaceFile(path: string, text: string, mode?: number): Promise<void> {
  const draft = `${path}.${process.pid}.new`;
  const file = await open(draft, 'w', 0o600);
  try {
    if (mode !== undefined) await file.chmod(mode);
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
}
