import { describe, expect, it } from 'vitest';
import { audiencesOf } from './audience.ts';

const machine = { hostname: 'box', addresses: ['192.168.1.5', 'fe80::1%eth0', '127.0.0.1'] };
const of = (
  host: string,
  port: number,
  more: { publicUrl?: string; tls?: { cert: string; key: string } } = {},
) =>
  audiencesOf(
    { listen: { host, port: 0 }, publicUrl: more.publicUrl, tls: more.tls },
    port,
    machine,
  );

describe('the audiences of tokens', () => {
  it('are the public URL alone, where there is one', () => {
    expect(of('127.0.0.1', 8080, { publicUrl: 'https://Relay.example/' })).toEqual([
      'relay.example',
    ]);
    expect(of('127.0.0.1', 8080, { publicUrl: 'http://relay.example:8080' })).toEqual([
      'relay.example:8080',
    ]);
  });

  it('are all names of loopback, on the port that was bound', () => {
    expect(of('127.0.0.1', 4321)).toEqual(['127.0.0.1:4321', 'localhost:4321', '[::1]:4321']);
  });

  it("leave out the port that is the scheme's own", () => {
    const tls = { cert: 'c', key: 'k' };
    expect(of('10.0.0.1', 443, { tls })).toEqual(['10.0.0.1']);
    expect(of('10.0.0.1', 443)).toEqual(['10.0.0.1:443']);
    expect(of('10.0.0.1', 80)).toEqual(['10.0.0.1']);
  });

  it('are every name of the machine where it listens on all addresses', () => {
    expect(of('0.0.0.0', 8080)).toEqual([
      'localhost:8080',
      '127.0.0.1:8080',
      '[::1]:8080',
      'box:8080',
      '192.168.1.5:8080',
      '[fe80::1]:8080',
    ]);
  });
});
