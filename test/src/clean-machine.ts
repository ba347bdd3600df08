import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { curlSettings } from './checkout.ts';
import { layOutDebian } from './container/base-root.ts';
import { inNamespace } from './container/namespace.ts';
import { Terminal } from './terminal.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
/** Node and npm as Debian has them; `uptime` is on every Debian machine, and not in the minimum that a container has. */
const packages = ['nodejs', 'npm', 'git', 'ca-certificates', 'curl', 'procps'];
const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const user = '1000:1000';
const home = '/home/newcomer';
/** Everything that is committed, as somebody else's machine would have it from a server. */
const bundle = '/srv/pullwire.bundle';
/** Where this machine's own network shows certificates of its own, npm has to know them, here as outside. */
const hostAuthorities = process.env['NODE_EXTRA_CA_CERTS'];
const authorities = '/srv/authorities.pem';

/** A Debian machine on which nothing was ever done: a root folder of its own, and a user who is not root. Wants root. */
export class CleanMachine {
  #folder = '';

  /** As whoever sets the machine up: installs what its user is said to have. Takes minutes. `release`: `bookworm`. */
  prepare(release: string): void {
    this.#folder = mkdtempSync(join(tmpdir(), 'pullwire-machine-'));
    layOutDebian(release, this.#root);
    const install = `apt-get update && apt-get install --yes --no-install-recommends ${packages.join(' ')}`;
    this.#asRoot(`${install} && useradd --create-home --uid 1000 newcomer`);
    writeFileSync(join(this.#root, home, '.curlrc'), curlSettings);
    mkdirSync(join(this.#root, 'srv'), { recursive: true });
    execFileSync('git', ['bundle', 'create', '--quiet', join(this.#root, bundle), 'HEAD'], {
      cwd: repository,
    });
    if (hostAuthorities !== undefined)
      execFileSync('cp', [hostAuthorities, join(this.#root, authorities)]);
  }

  /** What fetches the checkout, as `git clone` would from a server, into `checkout`. */
  readonly clone = `git clone --quiet ${bundle} pullwire`;

  /** Of the user. `within`: a network of its own; usual: this machine's. */
  terminal(folder: 'home' | 'checkout', within: readonly string[] = []): Terminal {
    const workdir = folder === 'home' ? home : `${home}/pullwire`;
    const [shell = '', ...args] = inNamespace({ root: this.#root, user, workdir }, []);
    return new Terminal({ env: this.#env, within: [...within, shell, ...args] });
  }

  remove(): void {
    if (this.#folder !== '') rmSync(this.#folder, { recursive: true });
  }

  get #root(): string {
    return join(this.#folder, 'root');
  }

  get #env(): Record<string, string> {
    const own = { PATH: path, HOME: home, LANG: 'C.UTF-8' };
    return hostAuthorities === undefined ? own : { ...own, NODE_EXTRA_CA_CERTS: authorities };
  }

  #asRoot(command: string): void {
    const argv = inNamespace({ root: this.#root, workdir: '/' }, ['/bin/sh', '-c', command]);
    const [file = '', ...args] = argv;
    execFileSync(file, args, {
      env: { PATH: path, HOME: '/root', DEBIAN_FRONTEND: 'noninteractive' },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
}

/** Why there can be none here. */
export function noCleanMachine(): readonly string[] {
  const isLong = process.env['PULLWIRE_LONG'] === '1';
  return [
    ...(isLong ? [] : ['it takes minutes: PULLWIRE_LONG=1']),
    ...(process.getuid?.() === 0 ? [] : ['it mounts and changes its root: run it as root']),
    ...(existsSync(join(repository, '.git')) ? [] : ['this is no checkout of git']),
  ];
}
