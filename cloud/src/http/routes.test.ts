import { describe, expect, test } from 'vitest';
import { routeOf } from './routes.ts';

describe('routes', () => {
  test.each([
    ['/devices', { name: 'devices', query: undefined }],
    ['/devices?limit=3', { name: 'devices', query: 'limit=3' }],
    ['/devices/plant-7', { name: 'device', device: 'plant-7', query: undefined }],
    ['/devices/a%3Ab', { name: 'device', device: 'a:b', query: undefined }],
    ['/devices/a/readings', { name: 'readings', device: 'a', query: undefined }],
    ['/devices/a%3Ab/readings?x', { name: 'readings', device: 'a:b', query: 'x' }],
    ['/devices/a/readings/latest', { name: 'latest-reading', device: 'a', query: undefined }],
    ['/devices/a/readings/', { name: 'unknown' }],
    ['/devices/a/readings/latest/x', { name: 'unknown' }],
    ['/devices/a/latest', { name: 'unknown' }],
    ['/devices/%zz/readings', { name: 'malformed' }],
    ['/health/live', { name: 'live' }],
    ['/health/ready', { name: 'ready' }],
    ['/events', { name: 'events', query: undefined }],
    ['/events?device=plant-*', { name: 'events', query: 'device=plant-*' }],
    ['/events/', { name: 'unknown' }],
    [
      '/pulls/plant-7~AAECAwQFBgcICQoLDA0ODw',
      { name: 'queuedPull', device: 'plant-7', id: 'AAECAwQFBgcICQoLDA0ODw' },
    ],
    [
      '/pulls/a%3Ab~AAECAwQFBgcICQoLDA0ODw/result',
      { name: 'pullResult', device: 'a:b', id: 'AAECAwQFBgcICQoLDA0ODw' },
    ],
    ['/pulls/plant-7~short', { name: 'malformed' }],
    ['/pulls/plant-7~AAECAwQFBgcICQoLDA0ODx', { name: 'malformed' }],
    ['/pulls/..~AAECAwQFBgcICQoLDA0ODw', { name: 'malformed' }],
    ['/pulls/plant-7', { name: 'unknown' }],
    ['/pulls', { name: 'unknown' }],
    ['/uploads', { name: 'uploads' }],
    ['/uploads/', { name: 'unknown' }],
    ['/enroll', { name: 'enroll' }],
    ['/enroll?code=x', { name: 'enroll' }],
    ['/Enroll', { name: 'unknown' }],
    ['/link', { name: 'link' }],
    ['/', { name: 'unknown' }],
    ['/toString', { name: 'unknown' }],
    ['/devices/', { name: 'unknown' }],
    ['/devices/a/sources/', { name: 'unknown' }],
    ['/devices/%zz', { name: 'malformed' }],
    ['/devices/..', { name: 'malformed' }],
    ['*', { name: 'malformed' }],
    ['example.com:443', { name: 'malformed' }],
    ['/devices#x', { name: 'malformed' }],
  ])('%s', (target, route) => {
    expect(routeOf(target)).toEqual(route);
  });

  test.each([
    ['/devices/d/sources/s', '/', undefined],
    ['/devices/d/sources/s/', '/', undefined],
    ['/devices/d/sources/s?', '/', ''],
    ['/devices/d/sources/s/a%2Fb/../c//d;x=1?q=%20&q', '/a%2Fb/../c//d;x=1', 'q=%20&q'],
    ['/devices/d/sources/s/?a?b', '/', 'a?b'],
    ['http://relay.example/devices/d/sources/s/x', '/x', undefined],
    ['/devices/d/sources/s/\u00e4', '/\u00e4', undefined],
  ])('what follows the source of %s stays byte for byte', (target, path, query) => {
    expect(routeOf(target)).toEqual({ name: 'pull', device: 'd', source: 's', path, query });
  });

  test('a source name that no agent could have is malformed', () => {
    expect(routeOf('/devices/d/sources/A%20B/x')).toEqual({ name: 'malformed' });
  });
});
