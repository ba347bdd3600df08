import { authenticationCheck } from './authentication-check.ts';
import type { Check } from './check.ts';
import { clockCheck } from './clock-check.ts';
import { configCheck } from './config-check.ts';
import { diskCheck } from './disk-check.ts';
import { dnsCheck } from './dns-check.ts';
import { keyCheck } from './key-check.ts';
import { proxyCheck } from './proxy-check.ts';
import { roundTripCheck } from './round-trip-check.ts';
import { sourceCheck } from './source-check.ts';
import { tcpCheck } from './tcp-check.ts';
import { tlsCheck } from './tls-check.ts';
import { tunnelCheck } from './tunnel-check.ts';
import { versionCheck } from './version-check.ts';
import { websocketCheck } from './websocket-check.ts';

/** In the order of a dial; a check stands behind those that it needs. What the agent learns to do gets its check here. */
export const checks: readonly Check[] = [
  configCheck,
  keyCheck,
  diskCheck,
  proxyCheck,
  dnsCheck,
  tcpCheck,
  tunnelCheck,
  clockCheck,
  tlsCheck,
  websocketCheck,
  authenticationCheck,
  roundTripCheck,
  sourceCheck,
  versionCheck,
];
