import { describe, expect, it } from 'vitest';
import { endToEndHeaders, headerValue } from './index.ts';

describe('endToEndHeaders', () => {
  it('passes the rest on in order, with its spelling and repeats', () => {
    const headers = ['Set-Cookie', 'a=1', 'X-B', '', 'SET-cookie', 'b=2', 'Trailer', 'Digest'];
    expect(endToEndHeaders(headers)).toEqual(headers);
  });

  it.each([
    'Connection',
    'keep-alive',
    'Proxy-Connection',
    'TE',
    'Transfer-Encoding',
    'UPGRADE',
    'Proxy-Authenticate',
    'Proxy-Authorization',
    'Proxy-Authentication-Info',
  ])('removes %s, whether Connection names it or not', (name) => {
    expect(endToEndHeaders(['A', '1', name, 'x', 'B', '2'])).toEqual(['A', '1', 'B', '2']);
  });

  it('removes what Connection names, in any case, on any line, with any white space', () => {
    const headers = [
      'X-Foo',
      '1',
      'Connection',
      'close, x-FOO ,,',
      'connection',
      '\tX-Bar',
      'X-Bar',
      '2',
      'x-foo',
      '3',
      'X-Baz',
      '4',
    ];
    expect(endToEndHeaders(headers)).toEqual(['X-Baz', '4']);
  });

  it.each([
    'Content-Length',
    'Host',
    'Authorization',
    'Pullwire-Key',
    'Cookie',
    'Content-Type',
    'Content-Encoding',
    'Cache-Control',
    'X-Forwarded-For',
  ])('keeps %s although Connection names it', (name) => {
    const headers = [name, 'value', 'Connection', `close, ${name}`];
    expect(endToEndHeaders(headers)).toEqual([name, 'value']);
  });

  it('drops what the caller of the function says, by its name in lower case', () => {
    const headers = ['Pullwire-Key', 's', 'X-A', '1', 'Connection', 'x-b', 'X-B', '2'];
    expect(endToEndHeaders(headers, (name) => name === 'pullwire-key')).toEqual(['X-A', '1']);
  });

  it('takes a Connection of thousands of options in linear time', () => {
    const options = Array.from({ length: 4_000 }, (_, i) => `x${i}`);
    const headers = [...options.flatMap((name) => [name, '1']), 'Connection', options.join()];
    expect(endToEndHeaders(headers)).toEqual([]);
  });
});

describe('headerValue', () => {
  it('is the first value of that name, in whatever case', () => {
    const headers = ['X-Length', '9', 'CONTENT-length', '5', 'content-length', '6'];
    expect(headerValue(headers, 'content-length')).toBe('5');
  });

  it('is undefined where there is none, also where a value looks like the name', () => {
    expect(headerValue(['x', 'host', 'host-name', 'a'], 'host')).toBeUndefined();
  });
});
