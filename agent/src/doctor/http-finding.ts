import { PullFault } from '@pullwire/shared';
import { splitPath } from '../policy/path-rule.ts';
import type { HttpSourceConfig } from '../source/http-config.ts';
import { httpConnector } from '../source/http-connector.ts';
import { faultOf } from '../source/http-fault.ts';
import { parseHttpTarget } from '../source/http-target.ts';
import { readTls } from '../source/http-tls.ts';
import { openSource } from '../source/open-source.ts';
import type { Source } from '../source/source.ts';
import type { SourceDeps } from '../source/source-deps.ts';
import { version } from '../version.ts';
import { allowedProbe, type Probe } from './allowed-probe.ts';
import type { Finding } from './check.ts';

/** Of the head of an answer; the source's own limits hold too. */
const budgetMs = 15_000;

/**
 * Asks the upstream as a pull would, where the source's rules name something that may be asked by HEAD or GET; else only
 * connects. Nothing of a body is read.
 *
 * @throws SourceOpenError
 */
export async function httpFinding(
  name: string,
  config: HttpSourceConfig,
  deps: SourceDeps,
  signal: AbortSignal,
): Promise<Omit<Finding, 'target'>> {
  const source = openSource(name, config, deps);
  try {
    const probe = allowedProbe(config.allow);
    if (probe === undefined) return await connected(name, config, deps);
    return judged(probe, await statusOf(source, probe, signal));
  } catch (error) {
    if (!(error instanceof PullFault)) throw error;
    return { state: 'failed', details: error.message, advice: adviceFor(error, config.url) };
  } finally {
    await source.close();
  }
}

/** @throws PullFault as a pull would end. */
function statusOf(source: Source, { method, path }: Probe, signal: AbortSignal): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const request = {
    pullId: 'doctor',
    caller: 'pullwire-agent doctor',
    method,
    path,
    segments: splitPath(path),
    query: undefined,
    headers: ['user-agent', `pullwire-agent/${version} (doctor)`],
    body: undefined,
    budgetMs,
  };
  const run = source.open(request, {
    head: (status) => resolve(status),
    // What is not read is not sent on: the run is cancelled as soon as its head is there.
    body: () => false,
    end: () => {},
    fail: reject,
  });
  signal.addEventListener('abort', () => run.cancel());
  return promise.finally(() => run.cancel());
}

function judged({ method, path }: Probe, status: number): Omit<Finding, 'target'> {
  const details = `answered ${status} to ${method} ${path}`;
  if (status === 401 || status === 403 || status === 407) {
    return {
      state: 'warning',
      details: `${details}: it wants other credentials, or none of this device`,
      advice:
        'give them by headers of this source ({env} or {file}); callers may bring their own as well',
    };
  }
  if (status >= 500 && status !== 501) {
    const advice = 'it can be reached, and is not well: look at its own log';
    return { state: 'warning', details, advice };
  }
  return { state: 'ok', details };
}

/** TCP, and TLS where it is used. @throws PullFault as a pull would end. */
async function connected(
  name: string,
  config: HttpSourceConfig,
  deps: SourceDeps,
): Promise<Omit<Finding, 'target'>> {
  const target = parseHttpTarget(config.url);
  const connect = httpConnector(target, readTls(config, deps), config.limits.connectMs);
  const { label, isSecure, origin, hostname, host, port } = target;
  const { protocol } = new URL(origin);
  const upstream = { name, label, isSecure, limits: config.limits, clock: deps.clock };
  await new Promise<void>((resolve, reject) => {
    connect(
      { protocol, hostname, host, port: port === undefined ? '' : String(port) },
      (error, socket) => {
        if (error !== null) return reject(faultOf(error, 'connecting', upstream, false));
        socket.destroy();
        resolve();
      },
    );
  });
  const asked = 'its rules name no path that could be asked by HEAD or GET';
  return { state: 'ok', details: `connected${isSecure ? ' by TLS' : ''}; ${asked}` };
}

function adviceFor({ code }: PullFault, url: string): string {
  switch (code) {
    case 'upstream-tls':
      return 'see to ca, cert, key and serverName of this source, and to the dates of the certificate';
    case 'upstream-timeout':
      return 'it accepts connections and answers none in time: look at its own log and load';
    case 'upstream-unreachable':
    case 'upstream-connect-timeout':
      return `start the service behind ${url}, or correct the url of this source; try it from this host with curl`;
    default:
      return 'look at the service’s own log; docs/errors.md has this code';
  }
}
