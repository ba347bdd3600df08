import { devicePattern, pullIdPattern, sourcePattern } from '@pullwire/shared';
import { parseTarget } from './target.ts';

/** What a request asks for: every path of the HTTP surface is one of these, on every host. */
export type Route =
  | {
      readonly name: 'pull';
      readonly device: string;
      readonly source: string;
      /** Raw, begins with `/`. */
      readonly path: string;
      readonly query: string | undefined;
    }
  | { readonly name: 'devices'; readonly query: string | undefined }
  | { readonly name: 'device'; readonly device: string; readonly query: string | undefined }
  | {
      readonly name: 'readings' | 'latest-reading';
      readonly device: string;
      readonly query: string | undefined;
    }
  | { readonly name: 'events'; readonly query: string | undefined }
  | ({ readonly name: 'queuedPull' } & QueuedPullPath)
  | ({ readonly name: 'pullResult' } & QueuedPullPath)
  | { readonly name: 'uploads' }
  | { readonly name: 'enroll' }
  | { readonly name: 'link' }
  | { readonly name: 'live' }
  | { readonly name: 'ready' }
  | { readonly name: 'unknown' }
  | { readonly name: 'malformed' };

/** `/pulls/{device}~{id}`: no id of a device or a pull holds a `~`. */
interface QueuedPullPath {
  readonly device: string;
  readonly id: string;
}

const fixed: Readonly<Record<string, Route>> = {
  '/uploads': { name: 'uploads' },
  '/enroll': { name: 'enroll' },
  '/link': { name: 'link' },
  '/health/live': { name: 'live' },
  '/health/ready': { name: 'ready' },
};

/** The methods a route takes; undefined: any. */
export const routeMethods: Readonly<Record<Route['name'], readonly string[] | undefined>> = {
  pull: undefined,
  devices: ['GET', 'HEAD'],
  device: ['GET', 'HEAD', 'DELETE'],
  readings: ['GET', 'HEAD'],
  'latest-reading': ['GET', 'HEAD'],
  events: ['GET', 'HEAD'],
  queuedPull: ['GET', 'HEAD', 'DELETE'],
  pullResult: ['GET', 'HEAD'],
  uploads: ['POST'],
  enroll: ['POST'],
  link: ['GET'],
  live: ['GET', 'HEAD'],
  ready: ['GET', 'HEAD'],
  unknown: undefined,
  malformed: undefined,
};

const pullPath = /^\/devices\/([^/]+)\/sources\/([^/]+)(\/.*)?$/s;
const queuedPath = /^\/pulls\/([^/~]+)~([^/~]+)(\/result)?$/;
const devicePath = /^\/devices\/([^/]+)(\/readings(?:\/latest)?)?$/;
const deviceRoutes = { '/readings': 'readings', '/readings/latest': 'latest-reading' } as const;

/** Finds the route of a raw request target. Ids may be percent-encoded; what follows a source stays byte for byte. */
export function routeOf(rawTarget: string): Route {
  const target = parseTarget(rawTarget);
  if (target === undefined) return { name: 'malformed' };
  const pull = pullPath.exec(target.path);
  if (pull !== null) return pullRoute(pull, target.query);
  if (target.path === '/devices') return { name: 'devices', query: target.query };
  if (target.path === '/events') return { name: 'events', query: target.query };
  const queued = queuedPath.exec(target.path);
  if (queued !== null) return queuedRoute(queued);
  const device = devicePath.exec(target.path);
  if (device !== null) {
    const id = decodeId(device[1] as string, devicePattern);
    const below = device[2] as keyof typeof deviceRoutes | undefined;
    const name = below === undefined ? 'device' : deviceRoutes[below];
    return id === undefined ? { name: 'malformed' } : { name, device: id, query: target.query };
  }
  return (
    (Object.hasOwn(fixed, target.path) ? fixed[target.path] : undefined) ?? { name: 'unknown' }
  );
}

function pullRoute(match: RegExpExecArray, query: string | undefined): Route {
  const device = decodeId(match[1] as string, devicePattern);
  const source = decodeId(match[2] as string, sourcePattern);
  if (device === undefined || source === undefined) return { name: 'malformed' };
  return { name: 'pull', device, source, path: match[3] ?? '/', query };
}

function queuedRoute(match: RegExpExecArray): Route {
  const device = decodeId(match[1] as string, devicePattern);
  const id = decodeId(match[2] as string, pullIdPattern);
  if (device === undefined || id === undefined) return { name: 'malformed' };
  return { name: match[3] === undefined ? 'queuedPull' : 'pullResult', device, id };
}

/** Where a queued pull is, as `routeOf` finds it again. */
export function queuedPullPath({ device, id }: QueuedPullPath): string {
  return `/pulls/${device}~${id}`;
}

function decodeId(raw: string, pattern: RegExp): string | undefined {
  if (!raw.includes('%')) return pattern.test(raw) ? raw : undefined;
  try {
    const id = decodeURIComponent(raw);
    return pattern.test(id) ? id : undefined;
  } catch {
    return undefined; // not percent-encoded UTF-8: no id
  }
}
