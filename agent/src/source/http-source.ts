import type { HeaderList, SourceInfo } from '@pullwire/shared';
import { Pool } from 'undici';
import type { HttpSourceConfig } from './http-config.ts';
import { httpConnector } from './http-connector.ts';
import type { HttpExchange } from './http-exchange.ts';
import { ExpectExchange, type ExpectOrigin, expectOrigin } from './http-expect-exchange.ts';
import { faultOf } from './http-fault.ts';
import { PoolExchange } from './http-pool-exchange.ts';
import { HttpRequestHeaders, hasExpectation, upgradeFault } from './http-request-headers.ts';
import { type HttpTarget, parseHttpTarget } from './http-target.ts';
import type { HttpTls } from './http-tls.ts';
import type { HttpUpstream } from './http-upstream.ts';
import type { ReplyWriter, Source, SourceRequest, SourceRun } from './source.ts';
import type { SourceDeps } from './source-deps.ts';

/** What `http-source` needs beyond its configuration: read once, when the source is opened. */
export interface HttpSecrets {
  /** Names and values in turn. */
  readonly headers: HeaderList;
  readonly tls: HttpTls;
}

const noRun: SourceRun = { resume() {}, cancel() {} };

/** An HTTP endpoint on the private network. Nothing is retried, and no redirect is followed. */
export class HttpSource implements Source {
  readonly info: SourceInfo;
  readonly #target: HttpTarget;
  readonly #upstream: HttpUpstream;
  readonly #headers: HttpRequestHeaders;
  readonly #origin: ExpectOrigin;
  readonly #pool: Pool;

  constructor(info: SourceInfo, config: HttpSourceConfig, secrets: HttpSecrets, deps: SourceDeps) {
    this.info = info;
    this.#target = parseHttpTarget(config.url);
    this.#upstream = {
      name: info.name,
      label: this.#target.label,
      isSecure: this.#target.isSecure,
      limits: config.limits,
      clock: deps.clock,
    };
    this.#headers = new HttpRequestHeaders(secrets.headers);
    this.#origin = expectOrigin(this.#target, secrets.tls);
    this.#pool = openPool(this.#target, config, secrets.tls);
  }

  open(request: SourceRequest, reply: ReplyWriter): SourceRun {
    try {
      const exchange = this.#exchange(request, reply);
      exchange.start();
      return exchange;
    } catch (error) {
      reply.fail(faultOf(error, 'connecting', this.#upstream, false));
      return noRun;
    }
  }

  close(): Promise<void> {
    return this.#pool.destroy();
  }

  #exchange(request: SourceRequest, reply: ReplyWriter): HttpExchange {
    if (request.method === 'CONNECT') throw upgradeFault();
    const headers = this.#headers.forUpstream(request.headers);
    const path = this.#targetOf(request);
    if (hasExpectation(headers)) {
      return new ExpectExchange(this.#upstream, request, reply, this.#origin, path, headers);
    }
    const { method, body = null } = request;
    const options = { method, path, headers, body, headersTimeout: 0, bodyTimeout: 0 };
    return new PoolExchange(this.#upstream, request, reply, this.#pool, options);
  }

  /** Path and query as they came, byte for byte, behind the base path. */
  #targetOf({ path, query }: SourceRequest): string {
    const full = this.#target.basePath + path;
    return query === undefined ? full : `${full}?${query}`;
  }
}

/** Time-outs are ours (http-exchange.ts): undici's are as coarse as a second and do not know of deadlines. */
function openPool(target: HttpTarget, config: HttpSourceConfig, tls: HttpTls): Pool {
  return new Pool(target.origin, {
    pipelining: 1,
    connections: config.limits.pulls,
    maxHeaderSize: 16_384,
    headersTimeout: 0,
    bodyTimeout: 0,
    allowH2: false,
    connect: httpConnector(target, tls, config.limits.connectMs),
  });
}
