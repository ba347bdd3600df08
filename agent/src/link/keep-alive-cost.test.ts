import { describe, expect, test } from 'vitest';
import { KeepAliveCost } from './keep-alive-cost.ts';

describe('what keep-alives cost', () => {
  test.each([
    // 6 + 2 bytes, two TLS records, three packets of 52 bytes of headers.
    ['a ping and its pong over TLS 1.3', { tls: 'TLSv1.3', ipv6: false }, 8 + 44 + 156],
    ['over TLS 1.2', { tls: 'TLSv1.2', ipv6: false }, 8 + 58 + 156],
    ['over IPv6', { tls: 'TLSv1.3', ipv6: true }, 8 + 44 + 216],
    ['in the clear', { tls: undefined, ipv6: false }, 8 + 156],
  ])('%s', (_name, wire, bytes) => {
    const cost = new KeepAliveCost();
    cost.count(8, wire);
    expect(cost.exchangeBytes).toBe(bytes);
  });

  test('a pull in between does not make them dearer', () => {
    const cost = new KeepAliveCost();
    cost.count(5_000, { tls: undefined, ipv6: false });
    cost.count(8, { tls: undefined, ipv6: false });
    cost.count(900, { tls: undefined, ipv6: false });
    expect(cost.exchangeBytes).toBe(164);
  });

  test('a day of them, and the interval at which a day fits into a budget', () => {
    const cost = new KeepAliveCost();
    expect([cost.bytesADay(1_000), cost.intervalFor(1_000)]).toEqual([undefined, undefined]);
    cost.count(44, { tls: undefined, ipv6: false });
    expect(cost.bytesADay(240_000)).toBe(72_000);
    expect(cost.intervalFor(72_000)).toBe(240_000);
  });
});
