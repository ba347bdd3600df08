import { describe, expect, it } from 'vitest';
import { isExempt } from './no-proxy.ts';

describe('isExempt', () => {
  it.each([
    ['*', 'wss://relay.example/link', true],
    ['', 'wss://relay.example/link', false],
    ['relay.example', 'wss://relay.example/link', true],
    ['RELAY.example', 'wss://relay.EXAMPLE/link', true],
    ['relay.example', 'wss://relay.example./link', true],
    ['example', 'wss://relay.example/link', true],
    ['.relay.example', 'wss://eu.relay.example/link', true],
    ['.relay.example', 'wss://relay.example/link', true],
    ['*.relay.example', 'wss://eu.relay.example/link', true],
    ['lay.example', 'wss://relay.example/link', false],
    ['other.example, relay.example', 'wss://relay.example/link', true],
    ['other.example relay.example', 'wss://relay.example/link', true],
    ['relay.example:443', 'wss://relay.example/link', true],
    ['relay.example:443', 'ws://relay.example/link', false],
    ['relay.example:8443', 'wss://relay.example:8443/link', true],
    ['relay.example:8443', 'wss://relay.example/link', false],
    ['10.0.0.7', 'wss://10.0.0.7/link', true],
    ['10.0.0.7:80', 'ws://10.0.0.7/link', true],
    ['10.0.0.0/8', 'wss://10.200.3.4/link', true],
    ['10.0.0.0/8', 'wss://11.0.0.1/link', false],
    ['10.0.0.0/8', 'wss://relay.example/link', false],
    ['10.0.0.0/99', 'wss://10.0.0.1/link', false],
    ['0.0.7', 'wss://10.0.0.7/link', false],
    ['::1', 'wss://[::1]/link', true],
    ['[::1]:443', 'wss://[::1]/link', true],
    ['fd00::/8', 'wss://[fd12::5]/link', true],
    ['fe80::/10', 'wss://[fd12::5]/link', false],
    ['localhost', 'wss://127.0.0.1/link', false],
    [',, .', 'wss://relay.example/link', false],
  ])('NO_PROXY=%s for %s: %s', (noProxy, url, exempt) => {
    expect(isExempt(new URL(url), noProxy)).toBe(exempt);
  });
});
