import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';

/** A real nginx that serves the files of a folder of its own, on a Unix socket there: no port can be taken. */
export class Nginx {
  readonly folder: string;
  readonly #child: ChildProcess;

  private constructor(folder: string, child: ChildProcess) {
    this.folder = folder;
    this.#child = child;
  }

  /** Resolves when it serves. `path`: where the program is; `location`: further directives for `/`. */
  static async start(path: string, location = ''): Promise<Nginx> {
    const folder = mkdtempSync(join(tmpdir(), 'pullwire-nginx-'));
    const file = join(folder, 'nginx.conf');
    writeFileSync(file, config(folder, location));
    const child = spawn(path, ['-p', folder, '-c', file, '-e', 'stderr'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const nginx = new Nginx(folder, child);
    try {
      await started(child);
      return nginx;
    } catch (error) {
      await nginx.stop();
      throw error;
    }
  }

  get socketPath(): string {
    return join(this.folder, 'nginx.sock');
  }

  /** The `url` of a source. */
  get url(): string {
    return `unix:${this.socketPath}`;
  }

  /** A GET at nginx itself; resolves with the body, whatever the status. */
  async get(path: string): Promise<string> {
    const asked = request({ socketPath: this.socketPath, path }).end();
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    return text(answer);
  }

  /** Ends the process; its folder stays. */
  async quit(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGTERM');
    await once(this.#child, 'close');
  }

  async stop(): Promise<void> {
    await this.quit();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Its sockets are bound before it says that it starts its workers. */
async function started(child: ChildProcess): Promise<void> {
  const said: string[] = [];
  if (child.stderr === null) throw new Error('nginx has no stderr');
  for await (const line of createInterface({ input: child.stderr })) {
    said.push(line);
    if (!line.includes('start worker process ')) continue;
    child.stderr.resume();
    return;
  }
  throw new Error(`nginx did not start:\n${said.join('\n')}`);
}

function config(folder: string, location: string): string {
  // As root its workers would become `nobody`, who cannot read a temporary folder.
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  return `
${user}
daemon off;
pid ${folder}/nginx.pid;
error_log stderr notice;
worker_processes 1;
events { worker_connections 256; }
http {
  access_log off;
  sendfile on;
  types { text/plain txt; }
  default_type application/octet-stream;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  server {
    listen unix:${folder}/nginx.sock;
    location / {
      root ${folder}/www;
      ${location}
    }
  }
}
`;
}
