import { realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ServiceError } from './service-error.ts';
import { isBelow } from './service-needs.ts';
import { servicePaths } from './service-plan.ts';

/** Node and the agent, as the service is to start them. */
export interface ServiceProgram {
  readonly node: string;
  readonly script: string;
}

/** The unit hides these (`ProtectHome=`, `PrivateTmp=`). */
const hidden = ['/home', '/root', '/run/user', '/tmp', '/var/tmp'];

/** For names of users (useradd(8)) and of units. */
const namePattern = /^[a-z][a-z0-9-]{0,30}$/;

/** @throws ServiceError where the name is none that a user can have. */
export function checkName(name: string): void {
  if (namePattern.test(name)) return;
  throw new ServiceError(
    `--name "${name}": expected 1 to 31 of a–z 0–9 -, beginning with a letter`,
  );
}

/** @throws ServiceError where this machine cannot be changed; `does` says what was wanted. */
export function checkMachine(
  does: string,
  machine: { readonly uid: number | undefined; readonly hasSystemd: boolean },
): void {
  if (!machine.hasSystemd) {
    throw new ServiceError(
      `systemd does not run this machine, so nothing was changed. For a unit to take elsewhere: pullwire-agent install --print, or --root FOLDER for the files of another machine. In a container, run the agent itself`,
    );
  }
  if (machine.uid !== 0) {
    throw new ServiceError(
      `only root can ${does} a service, so nothing was changed. Run it by sudo; --dry-run shows what it would do`,
    );
  }
}

/**
 * Where the programs really are.
 *
 * @throws ServiceError where the service's user could not start them.
 */
export async function checkProgram(program: ServiceProgram): Promise<ServiceProgram> {
  const node = await checkReach('Node', program.node);
  const script = await checkReach('the agent', program.script);
  if (script.endsWith('.ts')) {
    throw new ServiceError(
      `this is the agent's source (${script}); a service runs what ships: npm run build, then agent/dist/pullwire-agent.mjs install`,
    );
  }
  return { node, script };
}

/**
 * A service's own user can write in its state folder alone, and what changes lies beside the key.
 *
 * @throws ServiceError where the key is elsewhere.
 */
export function checkKeyFile(keyFile: string, name: string): void {
  const { state } = servicePaths(name);
  if (isBelow(dirname(keyFile), [state])) return;
  throw new ServiceError(
    `the key would be ${keyFile}, and the service can write only in ${state}: the key changes when the relay rotates it. ` +
      `Run: mkdir -m 700 -p ${state} && mv ${keyFile}* ${state}/ and set "keyFile: ${state}/${keyFile.slice(keyFile.lastIndexOf('/') + 1)}" in the configuration`,
  );
}

/** For people: why the service's user may not be able to read the file; undefined: everybody can. */
export async function unreadable(path: string, user: string): Promise<string | undefined> {
  const closed = await firstClosed(path);
  if (closed === undefined) return undefined;
  return `not everybody can read ${closed}: see that the user ${user} can (chgrp ${user} ${closed} && chmod g+rX ${closed})`;
}

async function checkReach(what: string, path: string): Promise<string> {
  const real = await realpath(path).catch((cause: unknown) => {
    throw new ServiceError(`${what} (${path}) cannot be found: ${String(cause)}`, { cause });
  });
  if (isBelow(real, hidden)) {
    throw new ServiceError(
      `${what} is ${real}, where a service is not let in. Put it where programs belong, such as /opt/pullwire or /usr/local/lib, and run install from there`,
    );
  }
  const closed = await firstClosed(real);
  if (closed === undefined) return real;
  throw new ServiceError(
    `${what} is ${real}, and only its owner can read ${closed}: the service has a user of its own. Run: chmod o+rX ${closed}`,
  );
}

/** The first file or folder on the way that others than its owner cannot read or enter. */
async function firstClosed(path: string): Promise<string | undefined> {
  const { mode } = await stat(path);
  const needed = mode & 0o040000 ? 0o001 : 0o004;
  const above = path === '/' ? undefined : await firstClosed(dirname(path));
  return above ?? ((mode & needed) === 0 ? path : undefined);
}
