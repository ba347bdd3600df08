import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { type Clock, frameLimits, headLimitBytes, PullFault, pullIds } from '@pullwire/shared';
import type { Logger } from 'pino';
import type { Callers } from './auth/callers.ts';
import type { Exchange } from './http/exchange.ts';
import { Front } from './http/front.ts';
import { problem } from './http/problem.ts';
import { DeviceService } from './presence/device-service.ts';
import { PullInFlight } from './pull/pull-in-flight.ts';
import { PullService } from './pull/pull-service.ts';
import type { Registry } from './registry/registry.ts';
import { ReplyDesk } from './reply/reply-desk.ts';
import { mintReplyTo, replyToKey } from './reply/reply-to.ts';
import { type CertificateFiles, CertificateWatch, readCertificate } from './server/certificate.ts';
import { OneBoxDevices } from './server/device-store.ts';
import { HttpHost } from './server/http-host.ts';
import { IdleWatch } from './server/idle-watch.ts';
import { type AdmittedLink, LinkDoor } from './server/link-door.ts';
import { LinkHost } from './server/link-host.ts';
import { LinkJournal } from './server/link-journal.ts';
import { LiveLinks } from './server/live-links.ts';
import { PullLog } from './server/pull-log.ts';

/** What the one-box server is set to; times in milliseconds, sizes in bytes. */
export interface RelaySettings {
  readonly listen: { readonly host: string; readonly port: number };
  readonly tls: CertificateFiles | undefined;
  readonly limits: {
    readonly pullsPerLink: number;
    readonly links: number;
    readonly requestBodyBytes: number;
    readonly headBytes: number;
  };
  readonly heartbeat: { readonly intervalMs: number; readonly timeoutMs: number };
  readonly deadline: { readonly defaultMs: number; readonly maxMs: number };
  readonly idleMs: number;
  readonly drainMs: number;
}

export interface RelayParts {
  readonly settings: RelaySettings;
  /** Its schema is checked already. */
  readonly registry: Registry;
  readonly callers: Callers;
  /** Rejects with `PullFault` where the token is not valid here. `port` is the one that is listened on. */
  admit(token: string | undefined, port: number): Promise<AdmittedLink>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly version: string;
}

/** Counts for the log and for tests; everything in flight is 0 when nothing is going on. */
export interface RelaySnapshot {
  readonly links: number;
  readonly pullsInFlight: number;
  readonly registryWritesWaiting: number;
  readonly pulls: PullLog['counters'];
  readonly linkEvents: LinkHost['counters'];
  readonly strays: ReplyDesk['strays'];
}

export interface Relay {
  /** Resolves when it listens; rejects where it cannot. */
  start(): Promise<{ readonly url: string; readonly port: number }>;
  /** Takes no new work, lets what is under way finish within `drainMs`, tells the agents, and ends. */
  stop(): Promise<void>;
  /** An operator wrote to the registry: what was cached no longer counts, and links are checked again. */
  registryChanged(): void;
  snapshot(): RelaySnapshot;
}

/** Of all replies together: what slow callers may hold in this process. */
const windowBytes = 96 * 1024 * 1024;

/** The one-box server: the only place where its parts are put together. */
export function createRelay(parts: RelayParts): Relay {
  const { settings, registry, clock, log } = parts;
  const key = replyToKey('1', randomBytes(32));
  const host = randomBytes(9).toString('base64url');
  const nowSeconds = (): number => Math.floor(clock.wall() / 1_000);
  const replies = new ReplyDesk([key], nowSeconds);
  const live = new LiveLinks();
  const pullLog = new PullLog(log);
  const journal = new LinkJournal({
    registry,
    clock,
    failed: (error, waiting) => log.warn({ err: error, waiting }, 'the registry cannot be written'),
  });
  const devices = new OneBoxDevices({
    registry,
    live,
    clock,
    revoke: (device) => links.revoke(device),
  });
  const links = new LinkHost({
    clock,
    live,
    journal,
    replies,
    registry,
    log,
    heartbeat: settings.heartbeat,
    terms: {
      relay: `pullwire-relay/${parts.version}`,
      limits: {
        ...frameLimits['pullwire.v1+bin'],
        headBytes: headLimitBytes,
        pulls: settings.limits.pullsPerLink,
      },
      heartbeat: settings.heartbeat,
    },
    newConnectionId: () => randomBytes(12).toString('base64url'),
    linked: () => devices.forget(),
  });
  const pulls = new PullService({
    callers: parts.callers,
    devices,
    replies,
    clock,
    limits: {
      defaultDeadlineMs: settings.deadline.defaultMs,
      maxDeadlineMs: settings.deadline.maxMs,
      requestBodyBytes: settings.limits.requestBodyBytes,
      windowBytes,
      pullsPerLink: settings.limits.pullsPerLink,
    },
    newPullId: pullIds(randomBytes),
    replyTo: (address) => mintReplyTo(key, { ...address, host }),
    ended: pullLog.ended,
    refused: pullLog.refused,
  });
  let draining = false;
  let port = settings.listen.port;
  const front = new Front({
    pulls,
    devices: new DeviceService({
      callers: parts.callers,
      store: devices,
      wall: () => clock.wall(),
    }),
    readiness: () =>
      draining ? { ready: false, why: 'the relay is shutting down' } : { ready: true },
    failed: (error) => log.error({ err: error }, 'a request could not be handled'),
  });
  const door = new LinkDoor({
    maxLinks: settings.limits.links,
    links: () => links.size,
    draining: () => draining,
    admit: (token) => parts.admit(token, port),
    opened: (opened) => links.open(opened),
    refused: (why, remoteAddress) =>
      log.warn(
        { code: why.code, detail: why.message, remoteAddress, err: why.cause },
        'link refused',
      ),
  });
  const http = new HttpHost({
    listen: settings.listen,
    tls: settings.tls === undefined ? undefined : readCertificate(settings.tls),
    headBytes: settings.limits.headBytes,
    handle: (exchange) => (draining ? refuseDraining(exchange) : front.handle(exchange)),
    upgrade: (request: IncomingMessage, socket: Socket, head: Buffer) => {
      void door.upgrade(request, socket, head);
    },
  });
  const certificate =
    settings.tls === undefined ? undefined : watchCertificate(settings.tls, http, log);
  const idle = new IdleWatch({
    clock,
    idleMs: settings.idleMs,
    pulls: function* () {
      for (const pull of replies.all()) if (pull instanceof PullInFlight) yield pull;
    },
  });

  return {
    async start() {
      port = await http.start();
      certificate?.start();
      idle.start();
      const scheme = settings.tls === undefined ? 'http' : 'https';
      return { url: `${scheme}://${bracketed(settings.listen.host)}:${port}`, port };
    },
    async stop() {
      draining = true;
      certificate?.stop();
      http.stopAccepting();
      links.drainAll(settings.drainMs);
      await emptied(replies, clock, settings.drainMs);
      links.endAll();
      idle.stop();
      await http.stop();
      await journal.flush();
      journal.stop();
    },
    registryChanged() {
      devices.forget();
      void links.recheck();
    },
    snapshot: () => ({
      links: live.size,
      pullsInFlight: replies.size,
      registryWritesWaiting: journal.waiting,
      pulls: { ...pullLog.counters },
      linkEvents: { ...links.counters },
      strays: { ...replies.strays },
    }),
  };
}

function refuseDraining(exchange: Exchange): void {
  const fault = new PullFault('relay-draining', 'lookup', {
    detail: 'the relay is shutting down',
    retryAfterMs: 2_000,
  });
  const headers = ['Connection', 'close'];
  exchange.answer(problem(fault, { method: exchange.method, answeredBy: 'relay', headers }));
}

function watchCertificate(files: CertificateFiles, http: HttpHost, log: Logger): CertificateWatch {
  return new CertificateWatch(files, {
    renewed: (tls) => {
      http.renew(tls);
      log.info({ cert: files.cert }, 'certificate renewed');
    },
    failed: (error) => log.warn({ err: error }, 'the certificate cannot be renewed (yet)'),
  });
}

/** Resolves when no pull is in flight any more, or after `withinMs`. */
function emptied(replies: ReplyDesk, clock: Clock, withinMs: number): Promise<void> {
  if (replies.size === 0) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = clock.after(withinMs, resolve);
    replies.whenEmpty(() => {
      timer.cancel();
      resolve();
    });
  });
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
