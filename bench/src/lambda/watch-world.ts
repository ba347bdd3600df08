import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { AwsWorld } from '../../../cloud/test/aws/aws-world.ts';
import type { LambdaEmulator } from '../../../cloud/test/gateway/lambda-emulator.ts';
import type { Trace } from './trace.ts';

/** The gateway's functions that a pull or a dial meets. */
const behindGateway = ['authorizer', 'connect', 'message'] as const;

/**
 * Marks what happens in a world: what functions begin and end, what they send over HTTP, and what passes the gateway. The
 * one link of an agent must be open. Returns what ends it.
 */
export function watchWorld(world: AwsWorld, trace: Trace): () => void {
  const agents = new Set(world.gateway.connections.map(({ id }) => id));
  const clock = new FunctionClock(trace);
  clock.watch('http', world.http);
  for (const name of behindGateway) clock.watch(name, world.gateway.lambda(name));
  const { events } = world.gateway;
  events.on('open', () => trace.mark('channel is open'));
  events.on('message', ({ id }) => {
    if (agents.has(id)) trace.mark('frame of the agent arrives');
  });
  events.on('delivered', ({ id }, text) => {
    if (agents.has(id)) trace.mark('frame leaves for the agent');
    else
      trace.mark(
        text.includes('kept-alive') ? 'channel knows its id' : 'frame leaves for the channel',
      );
  });
  return watchRequests(trace, agents);
}

/** Marks when an emulator's invocations begin and end. */
class FunctionClock {
  readonly #trace: Trace;

  constructor(trace: Trace) {
    this.#trace = trace;
  }

  watch(name: string, emulator: LambdaEmulator): void {
    const invoke = emulator.invoke.bind(emulator);
    emulator.invoke = async (...args) => {
      this.#trace.mark(`${name} begins`);
      try {
        return await invoke(...args);
      } finally {
        this.#trace.mark(`${name} ends`);
      }
    };
  }
}

/** Requests by `node:http` of whoever is in this process (Node.js, "Diagnostics Channel", HTTP). */
function watchRequests(trace: Trace, agents: ReadonlySet<string>): () => void {
  const started = (message: unknown) => {
    const what = nameOf((message as { request: ClientRequest }).request, agents);
    if (what !== undefined) trace.mark(what);
  };
  const finished = (message: unknown) => {
    const { request } = message as { request: ClientRequest; response: IncomingMessage };
    const operation = operationOf(request);
    if (operation !== undefined) trace.mark(`${operation} answered`);
  };
  subscribe('http.client.request.start', started);
  subscribe('http.client.response.finish', finished);
  return () => {
    unsubscribe('http.client.request.start', started);
    unsubscribe('http.client.response.finish', finished);
  };
}

function nameOf(request: ClientRequest, agents: ReadonlySet<string>): string | undefined {
  const operation = operationOf(request);
  if (operation !== undefined) return `${operation} asked`;
  const id = /\/@connections\/(.+)$/.exec(request.path)?.[1];
  if (id !== undefined) return agents.has(decodeURIComponent(id)) ? 'http posts' : 'message posts';
  return request.getHeader('upgrade') === undefined ? undefined : 'channel dials';
}

/** Of DynamoDB: `GetItem`. */
function operationOf(request: ClientRequest): string | undefined {
  const target = request.getHeader('x-amz-target');
  return typeof target === 'string' ? target.replace(/^DynamoDB_\d+\./, '') : undefined;
}
