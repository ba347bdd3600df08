import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { remoteAddressOf, type TrustedProxy } from './remote-address.ts';

const request = (remoteAddress: string, forwarded?: string): IncomingMessage =>
  ({ socket: { remoteAddress }, headers: { 'x-forwarded-for': forwarded } }) as never;

test.each<[string, TrustedProxy, string, string | undefined, string]>([
  ['nobody is trusted', [], '10.0.0.1', '1.2.3.4', '10.0.0.1'],
  ['a trusted address', ['10.0.0.1'], '10.0.0.1', '1.2.3.4', '1.2.3.4'],
  ['a trusted block', ['10.0.0.0/8'], '10.9.9.9', '1.2.3.4', '1.2.3.4'],
  ['a chain of proxies', ['10.0.0.0/8'], '10.0.0.1', '9.9.9.9, 1.2.3.4, 10.0.0.2', '1.2.3.4'],
  [
    'what the client itself wrote does not count',
    ['10.0.0.1'],
    '10.0.0.1',
    'x, 1.2.3.4',
    '1.2.3.4',
  ],
  ['nonsense', ['10.0.0.1'], '10.0.0.1', 'unknown', '10.0.0.1'],
  ['no header', ['10.0.0.1'], '10.0.0.1', undefined, '10.0.0.1'],
  ['IPv4 on a socket of both families', ['10.0.0.1'], '::ffff:10.0.0.1', '1.2.3.4', '1.2.3.4'],
  ['IPv6', ['fd00::/8'], 'fd00::1', '2001:db8::1', '2001:db8::1'],
  ['everybody', true, '5.5.5.5', '1.2.3.4', '1.2.3.4'],
])('%s', (_name, trusted, remote, forwarded, address) => {
  expect(remoteAddressOf(trusted)(request(remote, forwarded))).toBe(address);
});
