import { describe, expect, it } from 'vitest';
import { type SigningScope, sha256Hex, signByHeader, signByQuery } from './sigv4.ts';

const emptyHash = sha256Hex('');

function scope(service: string, keys: [string, string], sessionToken?: string): SigningScope {
  const [accessKeyId, secretAccessKey] = keys;
  return {
    service,
    region: 'us-east-1',
    credentials: { accessKeyId, secretAccessKey, sessionToken },
  };
}

/** AWS's test suite of Signature Version 4, published with aws-c-auth (tests/aws-signing-test-suite/v4). */
describe('the signatures of AWS’s test suite', () => {
  const keys: [string, string] = ['AKIDEXAMPLE', 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'];
  const token = '6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267';
  const now = Date.parse('2015-08-30T12:36:00Z');
  const unreserved = '-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  const get = (path: string, headers = {}) => ({
    method: 'GET',
    url: new URL(`https://example.amazonaws.com${path}`),
    headers,
  });

  it.each([
    ['get-vanilla', get('/'), '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'],
    [
      'get-vanilla-query-order-key-case',
      get('/?Param2=value2&Param1=value1'),
      'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
    ],
    [
      'get-vanilla-query-unreserved',
      get(`/?${unreserved}=${unreserved}`),
      '9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197',
    ],
    [
      'get-slashes-normalized',
      get('//example//'),
      '9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84',
    ],
    [
      'get-header-value-trim',
      get('/', { 'my-header1': ' value1', 'my-header2': ' "a   b   c"' }),
      'acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736',
    ],
  ])('%s', (_, request, signature) => {
    const headers = signByHeader(request, emptyHash, scope('service', keys), now);
    const names = ['host', ...Object.keys(request.headers), 'x-amz-date'].join(';');
    expect(headers['authorization']).toBe(
      'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, ' +
        `SignedHeaders=${names}, Signature=${signature}`,
    );
    expect(headers['x-amz-date']).toBe('20150830T123600Z');
  });

  it('get-vanilla-with-session-token', () => {
    const headers = signByHeader(get('/'), emptyHash, scope('service', keys, token), now);
    expect(headers).toMatchObject({
      'x-amz-security-token': token,
      authorization: expect.stringMatching(
        /Signature=07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8$/,
      ),
    });
  });

  it('post-x-www-form-urlencoded', () => {
    const hash = sha256Hex('Param1=value1');
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': '13',
      'x-amz-content-sha256': hash,
    };
    const request = { ...get('/', headers), method: 'POST' };
    const signed = signByHeader(request, hash, scope('service', keys), now);
    expect(signed['authorization']).toMatch(
      /Signature=d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b$/,
    );
  });

  it('get-vanilla-query-order-key-case and get-vanilla-with-session-token, by query', () => {
    const plain = get('/?Param2=value2&Param1=value1');
    expect(signByQuery(plain, 3_600, scope('service', keys), now)).toMatch(
      /Signature=86012e2c9ad4d77369f5d81c11f75158aae4f895a085212cc6d3f923d300bed5$/,
    );
    expect(signByQuery(get('/'), 3_600, scope('service', keys, token), now)).toMatch(
      /Signature=7ff2b50b376cb4d151970630573d6291dc128cc5c2a12ffb237f73cc53f67b6c$/,
    );
  });
});

/** Amazon S3 API Reference: "Signature Calculations for the Authorization Header" and "Using Query Parameters". */
describe('the examples of the S3 reference', () => {
  const s3 = scope('s3', ['AKIAIOSFODNN7EXAMPLE', 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY']);
  const now = Date.parse('2013-05-24T00:00:00Z');
  const url = (path: string) => new URL(`https://examplebucket.s3.amazonaws.com${path}`);

  it.each([
    [
      'GET object',
      { method: 'GET', url: url('/test.txt'), headers: { range: 'bytes=0-9' } },
      'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    ],
    [
      'GET bucket lifecycle',
      { method: 'GET', url: url('/?lifecycle'), headers: {} },
      'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
    ],
    [
      'list objects',
      { method: 'GET', url: url('/?max-keys=2&prefix=J'), headers: {} },
      '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
    ],
  ])('%s', (_, request, signature) => {
    const headers = signByHeader(request, emptyHash, s3, now);
    expect(headers['authorization']).toMatch(new RegExp(`Signature=${signature}$`));
    expect(headers['x-amz-content-sha256']).toBe(emptyHash);
  });

  it('a presigned URL', () => {
    const request = { method: 'GET', url: url('/test.txt'), headers: {} };
    expect(signByQuery(request, 86_400, s3, now)).toBe(
      'https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256' +
        '&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request' +
        '&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host' +
        '&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404',
    );
  });
});

/** Computed with botocore 1.x, another implementation. */
describe('what botocore signs', () => {
  const keys: [string, string] = ['AKIDEXAMPLE', 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'];
  const now = Date.parse('2015-08-30T12:36:00Z');

  it('a path with escapes, which every service but S3 wants encoded once more', () => {
    const url = new URL(
      'https://abc.execute-api.us-east-1.amazonaws.com/prod/%40connections/R0oXAdfD0kwCH6w%3D',
    );
    const request = { method: 'POST', url, headers: {} };
    const signed = signByHeader(request, sha256Hex('hi'), scope('execute-api', keys), now);
    expect(signed['authorization']).toMatch(
      /Signature=e1abec579e4fdb9d54df844ba5647eb629cc856f2b0639f48fbb26cdf0844328$/,
    );
  });

  it('a part of a multipart upload, with temporary credentials and a checksum', () => {
    const url = new URL(
      'https://bucket.s3.us-east-1.amazonaws.com/replies/a-b?partNumber=1&uploadId=x.y_z',
    );
    const checksum = 'LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=';
    const headers = { 'content-length': '5', 'x-amz-checksum-sha256': checksum };
    const signed = signByQuery(
      { method: 'PUT', url, headers },
      60,
      scope('s3', keys, 'TOKEN/+='),
      now,
    );
    const query = new URL(signed).searchParams;
    expect(query.get('X-Amz-SignedHeaders')).toBe('content-length;host;x-amz-checksum-sha256');
    expect(query.get('X-Amz-Security-Token')).toBe('TOKEN/+=');
    expect(query.get('X-Amz-Signature')).toBe(
      'bfe0a34f33c1d0373d4e45ab86107de7c1cb379d120ec3c662ee19907b7f6994',
    );
  });
});
