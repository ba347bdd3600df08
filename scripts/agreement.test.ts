import { beforeAll, describe, expect, it } from 'vitest';
import { agreementComplaints } from './agreement.ts';
import type { FunctionFacts } from './agreement-code.ts';
import type { ManifestFunction, ManifestRoute, RelayManifest } from './agreement-manifest.ts';
import { type AgreementParts, readParts } from './agreement-parts.ts';

type Open<T> = { -readonly [K in keyof T]: Open<T[K]> };

let real: AgreementParts;
beforeAll(async () => {
  real = await readParts();
});

/** What is said when one of the parts is another than it is. */
function complaints(plant: (parts: Open<AgreementParts>) => void): string[] {
  const parts = structuredClone(real) as Open<AgreementParts>;
  plant(parts);
  return agreementComplaints(parts);
}

/** What is said when a file of the module has another text. */
function complaintsOf(file: string, from: string | RegExp, to: string): string[] {
  return complaints(({ terraform }) => {
    const edited = (terraform[file] ?? '').replace(from, to);
    expect(edited).not.toBe(terraform[file]);
    terraform[file] = edited;
  });
}

const some: ManifestFunction = {
  timeoutSeconds: 3,
  memoryMb: 128,
  environment: ['PULLWIRE_LOG_LEVEL'],
};
const functionIn = (manifest: Open<RelayManifest>, name: string) =>
  manifest.functions[name] as Open<ManifestFunction>;
const routeIn = (manifest: Open<RelayManifest>, key: string) =>
  manifest.webSocket.routes[key] as Open<ManifestRoute>;
const codeOf = (code: Open<AgreementParts['code']>, name: string) =>
  code.functions[name] as Open<FunctionFacts>;

it('Terraform, the code and the zips agree', () => {
  expect(agreementComplaints(real)).toEqual([]);
});

describe('a function', () => {
  it('is missed in the code and the zips', () => {
    const said = complaints(({ manifest }) => {
      manifest.functions['enrol'] = structuredClone(some) as Open<ManifestFunction>;
    });
    expect(said).toEqual([
      'function enrol: in relay.json, not in the code',
      'function enrol: in relay.json, not in the zips',
      'function enrol: nothing calls it',
    ]);
  });

  it('is missed in Terraform', () => {
    const said = complaints(({ manifest }) => {
      delete manifest.functions['disconnect'];
    });
    expect(said).toContain('function disconnect: in the code, not in relay.json');
    expect(said).toContain('function disconnect: in the zips, not in relay.json');
    expect(said).toContain('route $disconnect: calls disconnect, which is no function');
  });

  it('is missed where Terraform does not take the list', () => {
    expect(complaintsOf('functions.tf', 'local.manifest.functions', '{ http = {} }')).toEqual([
      'aws_lambda_function.function: for_each is { http = {} }, and has to be local.manifest.functions',
    ]);
  });

  it('is another where its zip exports no handler, or does not load', () => {
    const said = complaints(({ zips }) => {
      zips['sweep'] = { files: ['main.mjs'], exports: ['main'], asks: [], trouble: undefined };
      zips['connect'] = { files: [], exports: [], asks: [], trouble: 'SyntaxError' };
    });
    expect(said).toContain('zip of sweep: has no index.mjs');
    expect(said).toContain('zip of sweep: exports no handler');
    expect(said).toContain('zip of connect: does not load: SyntaxError');
  });
});

describe('a route', () => {
  it('is missed in the code', () => {
    const said = complaints(({ manifest }) => {
      manifest.webSocket.routes['telemetry'] = { function: 'message' };
    });
    expect(said).toEqual(['route telemetry: the code has no message of that name']);
  });

  it('is missed in Terraform', () => {
    const said = complaints(({ manifest }) => {
      delete manifest.webSocket.routes['$default'];
      delete manifest.webSocket.routes['keep-alive'];
    });
    expect(said).toEqual([
      'function message: nothing calls it',
      'route $default: the code has it, relay.json has not',
      'route keep-alive: the code expects the gateway to answer it, relay.json has no such route',
    ]);
  });

  it('has to call the function that takes its event', () => {
    const said = complaints(({ manifest }) => {
      routeIn(manifest, '$connect').function = 'disconnect';
    });
    expect(said).toEqual([
      'route $connect: calls disconnect, whose code takes DisconnectEvent, not ConnectEvent',
      'function connect: nothing calls it',
    ]);
  });

  it('is chosen by the field that the code’s messages have', () => {
    const said = complaints(({ code }) => {
      code.routedBy = 'type';
    });
    expect(said).toEqual([
      "routes: chosen by $request.body.action, the code's are by $request.body.type",
    ]);
  });

  it('that the gateway answers says what the code reads', () => {
    const answerWith = (text: string) =>
      complaints(({ manifest }) => {
        routeIn(manifest, 'keep-alive').responseTemplate = text;
      });
    expect(answerWith('{"action":"kept-alive"}')).toEqual([
      "route keep-alive: its answer is no kept-alive with the connection's id",
    ]);
    expect(answerWith('{"action":"kept-')).toEqual([
      expect.stringMatching(/^route keep-alive: the code cannot read its answer: /),
    ]);
  });

  it('other than the handshake has no authorizer', () => {
    const said = complaints(({ manifest }) => {
      delete routeIn(manifest, '$connect').authorized;
      routeIn(manifest, '$default').authorized = true;
    });
    expect(said).toContain('authorizer: relay.json has to put it before $connect, and there only');
  });
});

describe('an environment variable', () => {
  it('is missed in the code, its zip and Terraform’s values', () => {
    const said = complaints(({ manifest }) => {
      functionIn(manifest, 'connect').environment.push('PULLWIRE_QUEUE');
    });
    expect(said).toEqual([
      'variable of connect PULLWIRE_QUEUE: in relay.json, not in the code',
      'variable of connect PULLWIRE_QUEUE: in relay.json, not in its zip',
      'variable PULLWIRE_QUEUE: in relay.json, not in local.environment',
    ]);
  });

  it('is missed in relay.json', () => {
    const said = complaints(({ manifest }) => {
      functionIn(manifest, 'sweep').environment = ['PULLWIRE_LOG_LEVEL', 'PULLWIRE_TABLE'];
    });
    expect(said).toEqual([
      'variable of sweep PULLWIRE_BUCKET: in the code, not in relay.json',
      'variable of sweep PULLWIRE_BUCKET: in its zip, not in relay.json',
      'permission of sweep: the code uses the bucket, relay.json does not tell it (PULLWIRE_BUCKET)',
    ]);
  });

  it('is missed where Terraform has one too many, or one too few', () => {
    expect(
      complaintsOf('locals.tf', /(\n +)(PULLWIRE_TABLE +=)/, '$1PULLWIRE_QUEUE = ""$1$2'),
    ).toEqual(['variable PULLWIRE_QUEUE: in local.environment, not in relay.json']);
    expect(complaintsOf('locals.tf', /\n +PULLWIRE_TABLE +=.*/, '')).toEqual([
      'variable PULLWIRE_TABLE: in relay.json, not in local.environment',
    ]);
  });
});

describe('a time-out', () => {
  const withTimeout = (name: string, seconds: number) =>
    complaints(({ manifest }) => {
      functionIn(manifest, name).timeoutSeconds = seconds;
    });

  it('of relay.json is one that the code and Terraform’s deadlines fit in', () => {
    expect(withTimeout('http', 600)).toEqual([
      'timeout of http: 600 s in relay.json, deadlines of 900 s in the code',
      'timeout of http: 600 s in relay.json, deadlines of 600 s in variables.tf, which want 30 s more',
    ]);
  });

  it('of a setting is by default the same on both hosts', () => {
    const said = complaints(({ code, terraform }) => {
      code.defaults = { ...code.defaults, 'queue.keepMs': 1_000 };
      const text = terraform['variables.tf'] ?? '';
      terraform['variables.tf'] = text.replace('= 268435456', '= 268435457');
    });
    expect(said).toEqual([
      'default of queue.keepMs: 1000 in the code, 86400 in variables.tf (queue.keep_seconds), times 1000',
      'default of readings.bytesPerDay: 268435456 in the code, 268435457 in variables.tf (readings_bytes_per_day), times 1',
    ]);
  });

  it('of the code is one that relay.json grants', () => {
    const said = complaints(({ code }) => {
      code.longestDeadlineMs = 1_200_000;
    });
    expect(said).toEqual(['timeout of http: 900 s in relay.json, deadlines of 1200 s in the code']);
  });

  it('is none that AWS does not have', () => {
    expect(withTimeout('message', 60)).toEqual([
      'timeout of message: 60 s in relay.json, 29 s at AWS',
    ]);
    expect(withTimeout('authorizer', 30)).toEqual([
      'timeout of authorizer: 30 s in relay.json, 29 s at AWS',
    ]);
    expect(withTimeout('sweep', 901)).toEqual([
      'timeout of sweep: 901 s in relay.json, 900 s at AWS',
    ]);
  });

  it('is not written a second time', () => {
    expect(complaintsOf('functions.tf', 'each.value.timeoutSeconds', '30')).toEqual([
      'aws_lambda_function.function: timeout is 30, and has to be each.value.timeoutSeconds',
      ...Object.keys(real.manifest.functions).map(
        (name) => `functions.${name}.timeoutSeconds: in relay.json, Terraform does not use it`,
      ),
    ]);
  });
});

describe('a table attribute', () => {
  it('is missed in the code', () => {
    const said = complaints(({ manifest }) => {
      manifest.table['sortKey'] = 'range';
    });
    expect(said).toEqual([
      'table attribute sortKey = range: in relay.json, not in the code',
      'table attribute sortKey = sk: in the code, not in relay.json',
    ]);
  });

  it('is missed in relay.json and Terraform', () => {
    const said = complaints(({ code }) => {
      code.table['secondIndex'] = { name: 'by-label' };
    });
    expect(said).toEqual([
      'table attribute secondIndex.name = by-label: in the code, not in relay.json',
    ]);
  });

  it('is missed where Terraform does not use it', () => {
    expect(complaintsOf('table.tf', 'local.manifest.table.expiryAttribute', '"ttl"')).toEqual([
      'table.expiryAttribute: in relay.json, Terraform does not use it',
    ]);
    expect(complaintsOf('table.tf', 'table.billingMode', 'table.capacity')).toEqual([
      'aws_dynamodb_table.registry: billing_mode is local.manifest.table.capacity, and has to be local.manifest.table.billingMode',
      'table.billingMode: in relay.json, Terraform does not use it',
      'table.capacity: Terraform uses it, relay.json has no such thing',
    ]);
  });
});

it('a place of objects is the same for the code and the bucket', () => {
  const said = complaints(({ manifest }) => {
    manifest.bucket.prefixes['replies'] = 'bodies/';
  });
  expect(said).toEqual([
    'object prefix replies = bodies/: in relay.json, not in the code',
    'object prefix replies = replies/: in the code, not in relay.json',
  ]);
});

describe('a permission', () => {
  it('is one too many where no code uses it', () => {
    expect(complaintsOf('iam.tf', '"GetItem", "PutItem"', '"GetItem", "PutItem", "Scan"')).toEqual([
      'permission of connect dynamodb:Scan: in iam.tf, not in the code',
    ]);
    expect(complaintsOf('iam.tf', '["http", "sweep"]', '["connect", "http", "sweep"]')).toEqual([
      'index reader connect: in iam.tf, not in the code',
    ]);
  });

  it('is missed where the code needs it', () => {
    const said = complaints(({ code }) => {
      codeOf(code, 'message').tableActions.push('BatchGetItem');
      codeOf(code, 'http').objectActions.push('RestoreObject');
    });
    expect(said).toEqual([
      'permission of message dynamodb:BatchGetItem: in the code, not in iam.tf',
      'permission of http s3:RestoreObject: in the code, not in iam.tf',
    ]);
    expect(complaintsOf('iam.tf', /\n +connect += \["GetItem".*\]/, '')).toEqual(
      ['GetItem', 'PutItem', 'Query', 'UpdateItem'].map(
        (action) => `permission of connect dynamodb:${action}: in the code, not in iam.tf`,
      ),
    );
    expect(complaintsOf('iam.tf', '["DeleteObject", "PutObject"]', '["PutObject"]')).toEqual([
      'permission of message s3:DeleteObject: in the code, not in iam.tf',
    ]);
  });

  it('comes with what the code uses', () => {
    const said = complaints(({ code }) => {
      codeOf(code, 'message').readsSecret = false;
      codeOf(code, 'connect').posts = true;
    });
    expect(said).toEqual([
      'permission of connect: the code uses the connections, relay.json does not tell it (PULLWIRE_CONNECTIONS_URL)',
      'permission of message: relay.json tells it of the secret, the code does not use that',
    ]);
  });
});
