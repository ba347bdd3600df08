import { parseListenAddress } from '@pullwire/shared/listen-address';
import type { ConfigValues } from './config-schema.ts';
import { isLoopback } from './loopback.ts';

/** What no setting can tell alone. A line for each rule that is broken; the values themselves are valid. */
export function brokenRules(values: ConfigValues): string[] {
  return [
    ...[pairedTls, guardedListen, guardedMetrics, wholeTable, orderedDeadlines],
    ...[orderedQueue, roomyQueue],
  ]
    .map((rule) => rule(values))
    .filter((mistake) => mistake !== undefined);
}

function pairedTls({ tls }: ConfigValues): string | undefined {
  if ((tls.cert === null) === (tls.key === null)) return undefined;
  const missing = tls.cert === null ? 'cert' : 'key';
  return `tls.${missing}: must be set where tls.${missing === 'cert' ? 'key' : 'cert'} is`;
}

/** DESIGN.md, "Decisions" 10: nothing is open by default. */
function guardedListen(values: ConfigValues): string | undefined {
  const host = parseListenAddress(values.listen)?.host ?? '';
  const proxied = values.trustedProxy === true || values.trustedProxy.length > 0;
  if (isLoopback(host) || values.tls.cert !== null || proxied || values.insecure) return undefined;
  return (
    `listen: ${values.listen} is open to other machines, and keys would pass in the clear; choose one of three:` +
    ' give the relay a certificate (--tls-cert and --tls-key), name the proxy in front of it that speaks TLS' +
    ' (--trusted-proxy), or accept the risk (--insecure)'
  );
}

/** Nobody shows a key there. `insecure` is about the other port, and does not open this one. */
function guardedMetrics({ metrics: { listen, insecure } }: ConfigValues): string | undefined {
  if (listen === null || insecure || isLoopback(parseListenAddress(listen)?.host ?? '')) {
    return undefined;
  }
  return (
    `metrics.listen: ${listen} is open to other machines, which could read what this relay does; use a loopback` +
    ' address such as 127.0.0.1:9465, or accept that (--metrics-insecure)'
  );
}

function wholeTable({ table }: ConfigValues): string | undefined {
  if (table.name === null) {
    return table.endpoint === null ? undefined : 'table.name: must be set where table.endpoint is';
  }
  return table.region === null ? 'table.region: must be set where table.name is' : undefined;
}

function orderedDeadlines({ deadline }: ConfigValues): string | undefined {
  if (deadline.defaultMs <= deadline.maxMs) return undefined;
  const { defaultMs, maxMs } = deadline;
  return `deadline.defaultMs: must be at most deadline.maxMs (${maxMs}): value was ${defaultMs}`;
}

function orderedQueue({ queue }: ConfigValues): string | undefined {
  const { defaultMs, maxMs } = queue;
  if (defaultMs <= maxMs) return undefined;
  return `queue.defaultMs: must be at most queue.maxMs (${maxMs}): value was ${defaultMs}`;
}

function roomyQueue({ queue }: ConfigValues): string | undefined {
  const { requestBytes, replyBytes, perCallerBytes } = queue;
  const largest = Math.max(requestBytes, replyBytes);
  if (largest <= perCallerBytes) return undefined;
  return `queue.perCallerBytes: must be at least queue.requestBytes and queue.replyBytes (${largest}), or none of that size could be kept: value was ${perCallerBytes}`;
}
