import { expect, it } from 'vitest';
import { bucketAddress } from './s3-address.ts';

it.each([
  [
    { bucket: 'b', region: 'eu-west-1', endpoint: undefined },
    'https://b.s3.eu-west-1.amazonaws.com/',
  ],
  [
    { bucket: 'b.c', region: 'eu-west-1', endpoint: undefined },
    'https://s3.eu-west-1.amazonaws.com/b.c/',
  ],
  [
    { bucket: 'b', region: 'cn-north-1', endpoint: undefined },
    'https://b.s3.cn-north-1.amazonaws.com.cn/',
  ],
  [
    { bucket: 'b', region: 'us-east-1', endpoint: 'http://127.0.0.1:4566/' },
    'http://127.0.0.1:4566/b/',
  ],
])('the bucket of %j is at %s', (place, url) => {
  const address = bucketAddress(place);
  expect(address.list('?uploads=').href).toBe(`${url}?uploads=`);
  expect(address.object('replies/a', '?x=1').href).toBe(`${url}replies/a?x=1`);
});
