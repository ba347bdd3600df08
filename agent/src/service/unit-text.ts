/** What a unit is written for. Paths are absolute. */
export interface UnitOptions {
  /** Of the unit, its user and its state folder. */
  readonly name: string;
  readonly version: string;
  readonly node: string;
  readonly script: string;
  readonly configFile: string;
  /** For pulls under way when the agent is stopped. */
  readonly drainMs: number;
  /** As systemd reads sizes. */
  readonly memory: string;
  readonly needs: UnitNeeds;
}

/** What the sources of the configuration have to reach; what they need not stays shut. */
export interface UnitNeeds {
  /** Below /home, /root or /run/user. */
  readonly homes: boolean;
  /** Below /tmp or /var/tmp. */
  readonly tmp: boolean;
  /** Commands may look at other processes. */
  readonly commands: boolean;
}

/** By it `uninstall` and a later `install` know their own. */
export const unitMark = '# Written by pullwire-agent install.';

/** systemd.service(5), with every restriction of systemd.exec(5) that leaves Node and the sources working. */
export function unitText(options: UnitOptions): string {
  const { name, version, drainMs, memory } = options;
  const words = [options.node, options.script, 'run', '--config', options.configFile];
  return `${unitMark} Own settings belong into a drop-in: systemctl edit ${name}
# Version ${version}. What the lines mean: docs/agent.md, "As a service".
[Unit]
Description=pullwire agent
Wants=network-online.target
After=network-online.target
# However long the relay is away, systemd must not give up.
StartLimitIntervalSec=0

[Service]
Type=notify
# Node cannot speak to systemd by itself: systemd-notify does it, as a process of its own.
NotifyAccess=all
WatchdogSec=2min
ExecStart=${words.map(unitWord).join(' ')}
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
RestartSec=10s
# 2: the configuration is wrong; 77: the relay has refused this device for good. Somebody has to act first.
RestartPreventExitStatus=2 77
# The agent ends its commands itself, after its pulls have had their time.
KillMode=mixed
TimeoutStopSec=${Math.ceil(drainMs / 1_000) + 15}s

User=${name}
Group=${name}
StateDirectory=${name}
StateDirectoryMode=0700
UMask=0077
# Secrets by their variables (sources.*.headers: { env: NAME }): root's, 0600, one NAME=value a line.
EnvironmentFile=-${unitPath(`${folderOf(options.configFile)}/${name}.env`)}
StandardOutput=journal
StandardError=journal
SyslogIdentifier=${name}

MemoryMax=${memory}
TasksMax=512
LimitNOFILE=16384
# A core dump would hold the key.
LimitCORE=0

${restrictions(options.needs)}
[Install]
WantedBy=multi-user.target
`;
}

function restrictions({ homes, tmp, commands }: UnitNeeds): string {
  return `NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
${homes ? '# A source lies there.\nProtectHome=read-only' : 'ProtectHome=yes'}
${tmp ? '# A source lies in /tmp.\nPrivateTmp=no' : 'PrivateTmp=yes'}
PrivateMounts=yes
PrivateDevices=yes
DevicePolicy=closed
ProtectHostname=yes
ProtectClock=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
${commands ? '# Commands may list processes.\nProtectProc=default' : 'ProtectProc=invisible'}
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
KeyringMode=private
# Not MemoryDenyWriteExecute: V8 compiles while it runs.
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
# getrlimit(3) is this call, and threads begin with it; raising a limit still takes a capability.
SystemCallFilter=prlimit64
SystemCallErrorNumber=EPERM
`;
}

/** systemd.service(5), "Command lines": quoted, with what systemd would expand taken literally. */
export function unitWord(text: string): string {
  const literal = text
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('$', '$$$$')
    .replaceAll('%', '%%');
  return /^[\w./:@$%=+-]+$/.test(literal) ? literal : `"${literal}"`;
}

/** A setting that is one path takes it as it stands, but for specifiers. */
const unitPath = (path: string): string => path.replaceAll('%', '%%');

const folderOf = (path: string): string => path.slice(0, Math.max(1, path.lastIndexOf('/')));
