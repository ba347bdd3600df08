import { codecFor } from '@pullwire/shared';
import type { ManifestRoute, RelayManifest } from './agreement-manifest.ts';
import type { AgreementParts } from './agreement-parts.ts';

/** What calls the functions, how long that waits for them, and what the gateway answers itself. */
export function routeComplaints(parts: AgreementParts): string[] {
  return [...callComplaints(parts), ...mockComplaints(parts), ...timeoutComplaints(parts)];
}

/** What calls a function, with the type of the event that it then gets. */
function triggers({ webSocket, http, schedule }: RelayManifest): [string, string, string?][] {
  const routes = Object.entries(webSocket.routes).flatMap(
    ([key, route]): [string, string, string][] =>
      route.function === undefined ? [] : [[`route ${key}`, route.function, eventOfRoute(key)]],
  );
  return [
    ...routes,
    ['authorizer', webSocket.authorizer, 'AuthorizerEvent'],
    ['HTTP', http.function, 'CallerEvent'],
    ['schedule', schedule.function],
  ];
}

function eventOfRoute(key: string): string {
  const own: Record<string, string> = { $connect: 'ConnectEvent', $disconnect: 'DisconnectEvent' };
  return own[key] ?? 'MessageEvent';
}

function callComplaints({ manifest, code }: AgreementParts): string[] {
  const { functions, webSocket } = manifest;
  const all = triggers(manifest);
  const called = all.flatMap(([from, name, event]) => {
    if (functions[name] === undefined) return [`${from}: calls ${name}, which is no function`];
    const facts = code.functions[name];
    if (facts === undefined || facts.event === event) return [];
    return [`${from}: calls ${name}, whose code takes ${facts.event ?? 'no event'}, not ${event}`];
  });
  const idle = Object.keys(functions).filter((name) => !all.some(([, other]) => other === name));
  const lacking = ['$connect', '$default', '$disconnect'].filter((key) => !webSocket.routes[key]);
  const expression = `$request.body.${code.routedBy}`;
  const guarded = Object.entries(webSocket.routes).filter(([, { authorized }]) => authorized);
  return [
    ...called,
    ...idle.map((name) => `function ${name}: nothing calls it`),
    ...lacking.map((key) => `route ${key}: the code has it, relay.json has not`),
    ...(webSocket.routeSelectionExpression === expression
      ? []
      : [
          `routes: chosen by ${webSocket.routeSelectionExpression}, the code's are by ${expression}`,
        ]),
    // API Gateway asks an authorizer at the handshake only.
    ...(String(guarded.map(([key]) => key)) === '$connect'
      ? []
      : ['authorizer: relay.json has to put it before $connect, and there only']),
  ];
}

const codec = codecFor('pullwire.v1+json');

/** The agent sends `keep-alive`, and the gateway answers in the words of the wire. */
function mockComplaints({ manifest }: AgreementParts): string[] {
  const { routes } = manifest.webSocket;
  const mocks = Object.entries(routes).filter(([, route]) => route.function === undefined);
  const missing = mocks.some(([key]) => key === 'keep-alive')
    ? []
    : ['route keep-alive: the code expects the gateway to answer it, relay.json has no such route'];
  const unknown = Object.entries(routes)
    .filter(([key]) => !key.startsWith('$') && !isMessage(key))
    .map(([key]) => `route ${key}: the code has no message of that name`);
  return [
    ...missing,
    ...unknown,
    ...mocks.flatMap(([key, route]) => templateComplaints(key, route)),
  ];
}

function templateComplaints(key: string, { requestTemplate, responseTemplate }: ManifestRoute) {
  const said: string[] = [];
  if (!/"statusCode"\s*:\s*200\b/.test(requestTemplate ?? '')) {
    said.push(`route ${key}: its request template has no statusCode 200`);
  }
  const text = (responseTemplate ?? '').replaceAll('$context.connectionId', 'R0oXAdfD0kwCH6w=');
  try {
    const message = codec.decodeRelay(text);
    const told = message.action === 'kept-alive' && message.connectionId === 'R0oXAdfD0kwCH6w=';
    if (!told) said.push(`route ${key}: its answer is no kept-alive with the connection's id`);
  } catch (error) {
    said.push(`route ${key}: the code cannot read its answer: ${(error as Error).message}`);
  }
  return said;
}

function isMessage(action: string): boolean {
  try {
    return codec.decodeAgent(JSON.stringify({ action })).action === action;
  } catch {
    return false;
  }
}

/** Seconds: API Gateway waits no longer for an integration, and Lambda lets no function run longer (AWS.md). */
const gatewaySeconds = 29;
const lambdaSeconds = 900;

function timeoutComplaints({ manifest, code }: AgreementParts): string[] {
  const { functions, webSocket, http } = manifest;
  const routed = Object.values(webSocket.routes).flatMap((route) => route.function ?? []);
  const behindGateway = [...new Set([...routed, webSocket.authorizer])];
  const longest = code.longestDeadlineMs / 1_000;
  const httpSeconds = functions[http.function]?.timeoutSeconds;
  return [
    ...behindGateway.flatMap((name) =>
      tooLong(name, functions[name]?.timeoutSeconds, gatewaySeconds),
    ),
    ...Object.entries(functions).flatMap(([name, { timeoutSeconds }]) =>
      tooLong(name, timeoutSeconds, lambdaSeconds),
    ),
    ...(httpSeconds === undefined || httpSeconds === longest
      ? []
      : [
          `timeout of ${http.function}: ${httpSeconds} s in relay.json, deadlines of ${longest} s in the code`,
        ]),
  ];
}

function tooLong(name: string, seconds: number | undefined, most: number): string[] {
  if (seconds === undefined || seconds <= most) return [];
  return [`timeout of ${name}: ${seconds} s in relay.json, ${most} s at AWS`];
}
