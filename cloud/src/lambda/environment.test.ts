import { describe, expect, expectTypeOf, it } from 'vitest';
import manifest from '../../../terraform/relay.json' with { type: 'json' };
import { readAwsPlace } from './aws-credentials.ts';
import { type FunctionName, functionVariables, readEnvironment } from './environment.ts';

const whole = {
  PULLWIRE_BUCKET: 'pullwire-bodies.example',
  PULLWIRE_CONNECTIONS_URL: 'https://abc.execute-api.eu-west-1.amazonaws.com/prod/',
  PULLWIRE_DEADLINE_DEFAULT_MS: '30000',
  PULLWIRE_DEADLINE_MAX_MS: '600000',
  PULLWIRE_ISSUERS: '[{"issuer":"https://login.example.com"}]',
  PULLWIRE_LINK_URL: 'wss://abc.execute-api.eu-west-1.amazonaws.com/prod',
  PULLWIRE_LOG_LEVEL: 'info',
  PULLWIRE_QUEUE_DEFAULT_MS: '86400000',
  PULLWIRE_QUEUE_KEEP_MS: '86400000',
  PULLWIRE_QUEUE_MAX_MS: '604800000',
  PULLWIRE_QUEUE_PER_CALLER: '1000',
  PULLWIRE_QUEUE_PER_DEVICE: '100',
  PULLWIRE_READINGS_BYTES_PER_DAY: '268435456',
  PULLWIRE_RETENTION_DAYS: '30',
  PULLWIRE_SECRET: '/pullwire/prod/secret',
  PULLWIRE_TABLE: 'pullwire-prod',
  PULLWIRE_TOKEN_IN_QUERY: 'false',
};

describe('the variables of the functions', () => {
  it('are those of terraform/relay.json, function by function', () => {
    const theirs = Object.fromEntries(
      Object.entries(manifest.functions).map(([name, { environment }]) => [name, environment]),
    );
    expect(functionVariables).toEqual(theirs);
  });
});

describe('an environment', () => {
  it('is read whole, typed and frozen', () => {
    const environment = readEnvironment('http', whole);
    expect(environment).toEqual({
      bucket: 'pullwire-bodies.example',
      connectionsUrl: 'https://abc.execute-api.eu-west-1.amazonaws.com/prod',
      deadlineDefaultMs: 30_000,
      deadlineMaxMs: 600_000,
      issuers: [{ issuer: 'https://login.example.com' }],
      linkUrl: 'wss://abc.execute-api.eu-west-1.amazonaws.com/prod',
      logLevel: 'info',
      queueDefaultMs: 86_400_000,
      queueKeepMs: 86_400_000,
      queueMaxMs: 604_800_000,
      queuePerCaller: 1_000,
      queuePerDevice: 100,
      secretName: '/pullwire/prod/secret',
      table: 'pullwire-prod',
    });
    expect(Object.isFrozen(environment)).toBe(true);
    expectTypeOf(environment.deadlineMaxMs).toEqualTypeOf<number>();
    expectTypeOf(readEnvironment('authorizer', whole).tokenInQuery).toEqualTypeOf<boolean>();
    expectTypeOf<keyof ReturnType<typeof readEnvironment<'connect'>>>().toEqualTypeOf<
      'logLevel' | 'table'
    >();
  });

  it.each(Object.keys(functionVariables) as FunctionName[])(
    'of %s holds its own fields only',
    (name) => {
      const fields = Object.keys(readEnvironment(name, whole));
      expect(fields).toHaveLength(functionVariables[name].length);
    },
  );

  it('names every mistake at once', () => {
    const broken = { PULLWIRE_BUCKET: 'Not A Bucket', PULLWIRE_TABLE: 'ok-table' };
    expect(() => readEnvironment('sweep', broken)).toThrow(
      'the configuration has 2 mistakes:\n' +
        'PULLWIRE_BUCKET: must be the name of a bucket: 3 to 63 lower-case letters, digits, "." or "-"\n' +
        'PULLWIRE_LOG_LEVEL: is not set; must be one of fatal, error, warn, info, debug, trace, silent',
    );
  });

  it.each([
    ['PULLWIRE_BUCKET', ['', 'ab', 'a..b', 'a.-b', '-ab', 'ab-', 'aB1', 'a'.repeat(64)]],
    [
      'PULLWIRE_CONNECTIONS_URL',
      ['', 'abc', 'wss://a/b', 'https://u:p@a/b', 'https://a/b?c', 'https://a/b#c'],
    ],
    ['PULLWIRE_DEADLINE_MAX_MS', ['', '0', '-1', '1.5', '1e3', '900001', ' 5', '0x10']],
    ['PULLWIRE_ISSUERS', ['', '{}', '[', 'null', '"a"']],
    ['PULLWIRE_LINK_URL', ['', 'https://a', '//a']],
    ['PULLWIRE_LOG_LEVEL', ['', 'INFO', 'verbose']],
    ['PULLWIRE_QUEUE_MAX_MS', ['', '999', '2592000001']],
    ['PULLWIRE_QUEUE_PER_DEVICE', ['', '0', '1001']],
    ['PULLWIRE_SECRET', ['', 'a b', 'arn:aws:s3:::bucket', 'swordfish!']],
    ['PULLWIRE_TABLE', ['', 'ab', 'a b c', 'a'.repeat(256)]],
  ])('does not take a bad %s', (variable, values) => {
    for (const value of values) {
      const read = () => readEnvironment('http', { ...whole, [variable]: value });
      expect(read, JSON.stringify(value)).toThrow(new RegExp(`^${variable}: must be [^!]*$`));
    }
  });

  it('takes a parameter by its ARN, and the plain schemes that other hosts of Lambda speak', () => {
    const environment = readEnvironment('http', {
      ...whole,
      PULLWIRE_SECRET: 'arn:aws:ssm:eu-west-1:123456789012:parameter/pullwire/secret',
      PULLWIRE_LINK_URL: 'ws://127.0.0.1:4566/_aws/execute-api/abc/prod',
      PULLWIRE_CONNECTIONS_URL: 'http://127.0.0.1:4566/_aws/execute-api/abc/prod',
    });
    expect(environment.linkUrl).toBe('ws://127.0.0.1:4566/_aws/execute-api/abc/prod');
  });

  it('does not take true and false in other words', () => {
    for (const value of ['1', 'TRUE', 'yes', '']) {
      const read = () =>
        readEnvironment('authorizer', { ...whole, PULLWIRE_TOKEN_IN_QUERY: value });
      expect(read).toThrow('PULLWIRE_TOKEN_IN_QUERY: must be true or false');
    }
  });

  it('keeps its deadlines in order', () => {
    const read = () => readEnvironment('http', { ...whole, PULLWIRE_DEADLINE_MAX_MS: '1000' });
    expect(read).toThrow('PULLWIRE_DEADLINE_DEFAULT_MS: must be at most PULLWIRE_DEADLINE_MAX_MS');
    const queue = () => readEnvironment('http', { ...whole, PULLWIRE_QUEUE_MAX_MS: '1000' });
    expect(queue).toThrow('PULLWIRE_QUEUE_DEFAULT_MS: must be at most PULLWIRE_QUEUE_MAX_MS');
  });
});

describe('a function’s place at AWS', () => {
  const lambda = {
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'ASIAEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'secret/+',
    AWS_SESSION_TOKEN: 'token/+=',
  };

  it('is what Lambda sets', () => {
    const { region, credentials, endpoint } = readAwsPlace(lambda);
    expect({ region, credentials }).toEqual({
      region: 'eu-west-1',
      credentials: {
        accessKeyId: 'ASIAEXAMPLE',
        secretAccessKey: 'secret/+',
        sessionToken: 'token/+=',
      },
    });
    expect([endpoint('S3'), endpoint('SSM')]).toEqual([undefined, undefined]);
  });

  it('has other endpoints by the SDK’s variables, one service before all', () => {
    const { endpoint } = readAwsPlace({
      ...lambda,
      AWS_ENDPOINT_URL: 'http://127.0.0.1:4566/',
      AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:9000',
    });
    expect([endpoint('S3'), endpoint('SSM')]).toEqual([
      'http://127.0.0.1:9000',
      'http://127.0.0.1:4566',
    ]);
  });

  it('needs no session token, and says what is missing without a value', () => {
    const { AWS_SESSION_TOKEN: _, ...lasting } = lambda;
    expect(readAwsPlace(lasting).credentials.sessionToken).toBeUndefined();
    expect(() =>
      readAwsPlace({ AWS_REGION: 'nowhere', AWS_SECRET_ACCESS_KEY: 'with space' }),
    ).toThrow(
      'the configuration has 3 mistakes:\n' +
        'AWS_REGION: must be a region such as eu-central-1\n' +
        'AWS_ACCESS_KEY_ID: is not set; must be visible characters\n' +
        'AWS_SECRET_ACCESS_KEY: must be visible characters',
    );
  });
});
