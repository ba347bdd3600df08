import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Debian keeps nginx and sshd here; a user's PATH often leaves them out. */
const systemFolders = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** The full path of a program, undefined where it is not installed. */
export function findTool(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...systemFolders];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/** @throws Error that names the Debian package. */
export function requireTool(name: string, debianPackage: string): string {
  const path = findTool(name);
  if (path === undefined) {
    throw new Error(`${name} is not installed: apt-get install ${debianPackage}`);
  }
  return path;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
