/**
 * The shell that prepares a root folder in a mount namespace of its own and starts a program there: `/proc`, a `/dev`
 * with the devices that Docker gives, and name service as the host has it. The program takes the shell's place, so that
 * it is PID 1 as it would be in a container. The network is the host's.
 *
 * Its arguments: the root, `ro` or `rw`, the user (`uid:gid`), the working folder, how many mounts, two words for each
 * (`FROM` and `TO` or `TO:ro`), and the program with its arguments.
 */
const prepare = `
root=$1 mode=$2 user=$3 folder=$4 mounts=$5
shift 5
mount --bind "$root" "$root"
mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
mount -t tmpfs -o nosuid,mode=755 tmpfs "$root/dev"
for device in null zero full random urandom; do
  : >"$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
ln -s /proc/self/fd "$root/dev/fd"
for name in resolv.conf hosts; do
  : >>"$root/etc/$name"
  mount --bind "$(readlink -f /etc/$name)" "$root/etc/$name"
done
while [ "$mounts" -gt 0 ]; do
  to=\${2%:ro}
  mount --bind "$1" "$root$to"
  [ "$to" = "$2" ] || mount -o remount,bind,ro "$root$to"
  shift 2
  mounts=$((mounts - 1))
done
[ "$mode" = rw ] || mount -o remount,bind,ro "$root"
[ "$user" = 0:0 ] || set -- setpriv --no-new-privs chroot --userspec="$user" --groups= "$root" env -C "$folder" "$@"
[ "$user" != 0:0 ] || set -- chroot "$root" env -C "$folder" "$@"
exec "$@"
`;

export interface NamespaceOptions {
  readonly root: string;
  readonly isReadOnly?: boolean;
  /** `uid:gid`; usual: root. */
  readonly user?: string;
  readonly workdir: string;
  /** Folders and files of the host, by where they appear; `:ro` behind makes one read-only. */
  readonly mounts?: Readonly<Record<string, string>>;
}

/** The whole command line that runs `argv` in a root folder; for root alone. What it starts ends with it. */
export function inNamespace(options: NamespaceOptions, argv: readonly string[]): string[] {
  const { root, isReadOnly = false, user = '0:0', workdir, mounts = {} } = options;
  const pairs = Object.entries(mounts).flatMap(([to, from]) => [from, to]);
  return [
    ...['unshare', '--mount', '--pid', '--ipc', '--uts', '--fork', '--kill-child'],
    ...['/bin/sh', '-euc', prepare, 'container'],
    ...[root, isReadOnly ? 'ro' : 'rw', user, workdir, String(pairs.length / 2), ...pairs],
    ...argv,
  ];
}
