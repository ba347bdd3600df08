import { describe, expect, test } from 'vitest';
import { PartStoreError } from './part-store.ts';
import { putTarget } from './put-target.ts';

const rules = {
  relayHost: 'relay.example',
  hosts: ['*.amazonaws.com', 's3.local'],
  insecure: false,
};

describe('where parts may be put', () => {
  test.each([
    'https://bucket.s3.eu-central-1.amazonaws.com/replies/x?X-Amz-Signature=00',
    'https://s3.eu-central-1.AMAZONAWS.com/bucket/x',
    'https://relay.example:8443/objects/x',
    'https://S3.local/x',
  ])('at %s', (url) => {
    expect(putTarget(url, rules).href).toBe(new URL(url).href);
  });

  test.each([
    ['https://amazonaws.com/x', 'not among uploadHosts'],
    ['https://amazonaws.com.evil.example/x', 'not among uploadHosts'],
    ['https://evilamazonaws.com/x', 'not among uploadHosts'],
    ['https://s3.local.evil.example/x', 'not among uploadHosts'],
    ['https://sub.relay.example/x', 'not among uploadHosts'],
    ['https://169.254.169.254/latest/meta-data', 'not among uploadHosts'],
    ['http://10.0.0.1/admin', 'not among uploadHosts'],
    ['http://relay.example/x', 'by https only'],
    ['https://s3.local@10.0.0.1/x', 'no URL of a storage'],
    ['https://10.0.0.1\\@s3.local/x', 'not among uploadHosts'],
    ['file:///etc/passwd', 'no URL of a storage'],
    ['s3.local/x', 'no URL of a storage'],
  ])('not at %s', (url, why) => {
    const put = (): URL => putTarget(url, rules);
    expect(put).toThrow(PartStoreError);
    expect(put).toThrow(why);
  });

  test('in the clear on loopback, and elsewhere where that is allowed', () => {
    const local = { ...rules, relayHost: '127.0.0.1' };
    expect(putTarget('http://127.0.0.1:4566/bucket/x', local).port).toBe('4566');
    const insecure = { ...rules, insecure: true };
    expect(putTarget('http://relay.example/x', insecure).protocol).toBe('http:');
  });

  test('a refusal does not repeat the signature', () => {
    let text = '';
    try {
      putTarget('https://10.0.0.1/x?X-Amz-Signature=5ec2e7', rules);
    } catch (error) {
      text = String(error);
    }
    expect(text).toContain('10.0.0.1');
    expect(text).not.toContain('5ec2e7');
  });
});
