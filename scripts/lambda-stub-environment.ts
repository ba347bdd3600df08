/** Nothing answers there. */
const nowhere = '127.0.0.1:1';

/** What Lambda and Terraform set for the functions; a value of each kind, none of which leads anywhere. */
export const stubEnvironment: Readonly<Record<string, string>> = {
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  AWS_ENDPOINT_URL: `http://${nowhere}`,
  PULLWIRE_BUCKET: 'pullwire-test',
  PULLWIRE_CONNECTIONS_URL: `http://${nowhere}/test`,
  PULLWIRE_DEADLINE_DEFAULT_MS: '30000',
  PULLWIRE_DEADLINE_MAX_MS: '600000',
  PULLWIRE_ISSUERS: '[]',
  PULLWIRE_LINK_URL: `ws://${nowhere}/test`,
  PULLWIRE_LOG_LEVEL: 'silent',
  PULLWIRE_QUEUE_DEFAULT_MS: '86400000',
  PULLWIRE_QUEUE_KEEP_MS: '86400000',
  PULLWIRE_QUEUE_MAX_MS: '604800000',
  PULLWIRE_QUEUE_PER_CALLER: '1000',
  PULLWIRE_QUEUE_PER_DEVICE: '100',
  PULLWIRE_READINGS_BYTES_PER_DAY: '268435456',
  PULLWIRE_RETENTION_DAYS: '30',
  PULLWIRE_SECRET: '/pullwire/test/secret',
  PULLWIRE_TABLE: 'pullwire-test',
  PULLWIRE_TOKEN_IN_QUERY: 'false',
};
