import { describe, expect, it } from 'vitest';
import type { RestEvent } from './event.ts';
import { httpRequest } from './http-request.ts';

/** As "Lambda proxy integrations in API Gateway" shows it, with what we do not read. */
function restEvent(over: Partial<RestEvent> = {}): RestEvent {
  const event = {
    resource: '/{path+}',
    path: '/devices/plant-7/sources/web/a%2Fb/',
    httpMethod: 'GET',
    headers: { Accept: '*/*', 'X-A': '2' },
    multiValueHeaders: { Accept: ['*/*'], 'X-A': ['1', '2'] },
    queryStringParameters: null,
    multiValueQueryStringParameters: null,
    pathParameters: { path: 'devices/plant-7/sources/web/a/b' },
    stageVariables: null,
    requestContext: { stage: 'prod', identity: { sourceIp: '192.0.2.7' } },
    body: null,
    isBase64Encoded: false,
    ...over,
  };
  return event;
}

describe('a request of a REST API', () => {
  it('keeps its path as it came, without the stage, and its repeated headers apart', () => {
    expect(httpRequest(restEvent())).toEqual({
      method: 'GET',
      target: '/devices/plant-7/sources/web/a%2Fb/',
      headers: ['Accept', '*/*', 'X-A', '1', 'X-A', '2'],
      body: Buffer.alloc(0),
      remoteAddress: '192.0.2.7',
    });
  });

  it('has its query encoded anew', () => {
    const multiValueQueryStringParameters = {
      q: ['a b', '&=+#'],
      'n[]': ['ü'],
      flag: [''],
      odd: ['\ud800'],
    };
    const { target } = httpRequest(restEvent({ path: '/x', multiValueQueryStringParameters }));
    expect(target).toBe('/x?q=a%20b&q=%26%3D%2B%23&n%5B%5D=%C3%BC&flag=&odd=%EF%BF%BD');
  });

  it.each([
    ['AP8=', true, [0, 255]],
    ['ü', false, [0xc3, 0xbc]],
    [null, true, []],
  ])('has the bytes of its body: %j', (body, isBase64Encoded, bytes) => {
    expect([...httpRequest(restEvent({ body, isBase64Encoded })).body]).toEqual(bytes);
  });

  it('may have no headers at all', () => {
    expect(httpRequest(restEvent({ multiValueHeaders: null })).headers).toEqual([]);
  });
});
