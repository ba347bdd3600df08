export interface NginxConfig {
  readonly folder: string;
  readonly port: number;
  readonly workers: number;
  /** Where the requests are written, one line each; undefined: nowhere. */
  readonly accessLog: string | undefined;
  /** Whether nginx is started as root: its worker would otherwise become somebody who may not read our folder. */
  readonly isRoot: boolean;
  /** Contexts `upstream` and `location`. */
  readonly upstream?: string;
  readonly location: string;
}

const temporaryPaths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];

/** A whole nginx.conf for one server on one port of loopback, with all its files in one folder. */
export function nginxConfig(config: NginxConfig): string {
  const { folder, port, workers, accessLog, isRoot, upstream = '', location } = config;
  return `
daemon off;
${isRoot ? 'user root;' : ''}
worker_processes ${workers};
pid ${folder}/nginx.pid;
error_log ${folder}/error.log warn;
events { worker_connections 4096; }
http {
  access_log ${accessLog ?? 'off'};
  ${temporaryPaths.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n  ')}
  sendfile on;
  tcp_nopush on;
  # The default of 1,000 requests a connection would measure reconnecting.
  keepalive_requests 100000000;
  ${upstream}
  server {
    listen 127.0.0.1:${port};
    location / { ${location} }
  }
}
`;
}

/** The contexts that make it a reverse proxy which keeps its connections to the origin. */
export function proxyTo(originPort: number): Pick<NginxConfig, 'upstream' | 'location'> {
  return {
    upstream: `upstream origin {
    server 127.0.0.1:${originPort};
    keepalive 256;
    keepalive_requests 100000000;
  }`,
    // Buffers as by default, but nothing large goes through the disk.
    location: `proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_max_temp_file_size 0;`,
  };
}
