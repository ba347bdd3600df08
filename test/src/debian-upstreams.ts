import { mkdirSync, mkdtempSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeLargeFile } from './large-file.ts';
import { Nginx } from './nginx.ts';
import { NodeExporter } from './node-exporter.ts';
import { until } from './until.ts';

const blobBytes = 600_000;

/** What stands on many a Linux machine, as it comes from Debian: node exporter, nginx with its log, `df`; and a file. */
export class DebianUpstreams {
  readonly #path: { readonly exporter: string; readonly nginx: string };
  readonly #folder = mkdtempSync(join(tmpdir(), 'pullwire-upstreams-'));
  /** That `df` is asked about. */
  readonly #mount = join(this.#folder, 'mount');
  readonly blob = { bytes: blobBytes, sha256: '' };
  exporter!: NodeExporter;
  nginx!: Nginx;
  #visits = 0;

  constructor(path: { readonly exporter: string; readonly nginx: string }) {
    this.#path = path;
  }

  async start(): Promise<void> {
    mkdirSync(this.#mount);
    this.blob.sha256 = writeLargeFile(join(this.#folder, 'blob.bin'), blobBytes);
    this.exporter = await NodeExporter.start(this.#path.exporter);
    // Requests for the status stay out of the log: it grows by visits alone.
    this.nginx = await Nginx.start(
      this.#path.nginx,
      'access_log access.log; location = /nginx_status { stub_status; access_log off; }',
    );
  }

  /** `sources:` of an agent that offers them. */
  get sources() {
    const { exporter, nginx } = this;
    return {
      metrics: { kind: 'http', url: exporter.url, allow: [{ paths: ['/metrics'] }] },
      status: { kind: 'http', url: nginx.url, allow: [{ paths: ['/nginx_status'] }] },
      log: { kind: 'file', root: nginx.folder, allow: [{ paths: ['/access.log'] }] },
      disk: { kind: 'command', argv: ['df', '-P', '-k', this.#mount], allow: [{ paths: ['/'] }] },
      files: { kind: 'file', root: this.#folder, allow: [{ paths: ['/blob.bin'] }] },
    };
  }

  /** `schedules:` of each, every second but for the large file. */
  get schedules() {
    const cron = '* * * * * *';
    return {
      'metrics-1s': { source: 'metrics', path: '/metrics', cron },
      'status-1s': { source: 'status', path: '/nginx_status', cron },
      'log-1s': { source: 'log', path: '/access.log', query: 'tail=3', cron },
      'disk-1s': { source: 'disk', path: '/', cron },
      'blob-3s': { source: 'files', path: '/blob.bin', cron: '*/3 * * * * *' },
    };
  }

  /** A request at nginx; resolves when its line is in the log, with the path that stands in it. */
  async visit(): Promise<string> {
    this.#visits += 1;
    const path = `/visit-${this.#visits}`;
    await this.nginx.get(path);
    await until(() => this.log.includes(`"GET ${path} `) && this.log.endsWith('\n'));
    return path;
  }

  get log(): string {
    return readFileSync(join(this.nginx.folder, 'access.log'), 'utf8');
  }

  /** KiB of the file system that `df` is asked about, by the kernel itself. */
  get mountKiB(): number {
    const { blocks, bsize } = statfsSync(this.#mount);
    return (blocks * bsize) / 1_024;
  }

  get mount(): string {
    return this.#mount;
  }

  /** Exporter and nginx end, and what `df` is asked about goes; the log stays. */
  async fail(): Promise<void> {
    await this.exporter.stop();
    await this.nginx.quit();
    rmSync(this.#mount, { recursive: true });
  }

  /** The exporter is back at its place, and what `df` is asked about. */
  async recover(): Promise<void> {
    mkdirSync(this.#mount);
    this.exporter = await NodeExporter.start(this.#path.exporter, this.exporter.port);
  }

  async stop(): Promise<void> {
    await this.exporter?.stop();
    await this.nginx?.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
