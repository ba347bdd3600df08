import type { ServiceStep } from './service-step.ts';
import { type UnitOptions, unitMark, unitText } from './unit-text.ts';

/** Where what belongs to a service lies. */
export function servicePaths(name: string) {
  return {
    unit: `/etc/systemd/system/${name}.service`,
    user: `/etc/sysusers.d/${name}.conf`,
    state: `/var/lib/${name}`,
  };
}

/** sysusers.d(5): a system user without a shell, whose home is the state folder. */
function userText(name: string): string {
  return `${unitMark}\nu ${name} - "pullwire agent" ${servicePaths(name).state}\n`;
}

/** `hasState`: the state folder is there already, made by `enroll` as root. */
export function installSteps(
  options: UnitOptions,
  { now, hasState }: { readonly now: boolean; readonly hasState: boolean },
): readonly ServiceStep[] {
  const { name } = options;
  const { unit, user, state } = servicePaths(name);
  const run = (...command: string[]): ServiceStep => ({ does: 'run', command });
  return [
    { does: 'write', path: user, text: userText(name), mark: unitMark },
    run('systemd-sysusers', user),
    // Symbolic links are not followed.
    ...(hasState ? [run('chown', '-R', '-h', `${name}:${name}`, state)] : []),
    { does: 'write', path: unit, text: unitText(options), mark: unitMark },
    run('systemctl', 'daemon-reload'),
    run('systemctl', 'enable', ...(now ? ['--now'] : []), name),
  ];
}

/** `purge`: the key and all that the agent has learnt, too. */
export function uninstallSteps(
  name: string,
  { purge, isInstalled }: { readonly purge: boolean; readonly isInstalled: boolean },
): readonly ServiceStep[] {
  const { unit, user, state } = servicePaths(name);
  const run = (...command: string[]): ServiceStep => ({ does: 'run', command });
  return [
    ...(isInstalled ? [run('systemctl', 'disable', '--now', name)] : []),
    { does: 'remove', path: unit, mark: unitMark },
    { does: 'remove', path: user, mark: unitMark },
    run('systemctl', 'daemon-reload'),
    ...(purge
      ? [
          { does: 'remove-folder', path: state } as const,
          { does: 'run', command: ['userdel', name], mayFail: true } as const,
        ]
      : []),
  ];
}
