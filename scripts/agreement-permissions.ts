import type { FunctionFacts } from './agreement-code.ts';
import { differences } from './agreement-difference.ts';
import type { AgreementParts } from './agreement-parts.ts';
import { localList, localLists } from './agreement-terraform.ts';

/** What each function may do (iam.tf), and what its code does: neither more nor less. */
export function permissionComplaints({ manifest, terraform, code }: AgreementParts): string[] {
  const names = Object.keys(code.functions);
  const allowed = (list: string) => localLists(terraform, list);
  return [
    ...differences(
      'index reader',
      { who: 'iam.tf', has: localList(terraform, 'index_readers') },
      { who: 'the code', has: names.filter((name) => code.functions[name]?.readsIndex) },
    ),
    ...actionComplaints('dynamodb', allowed('table_actions'), parts('tableActions')),
    ...actionComplaints('s3', allowed('object_actions'), parts('objectActions')),
    ...actionComplaints('s3', allowed('reading_actions'), parts('readingActions')),
    ...actionComplaints('s3', allowed('bucket_actions'), parts('bucketActions')),
    ...names.flatMap((name) => toolComplaints(name, manifest.functions[name]?.environment ?? [])),
  ];

  function parts(field: 'tableActions' | 'objectActions' | 'readingActions' | 'bucketActions') {
    return new Map(names.map((name) => [name, code.functions[name]?.[field] ?? []]));
  }

  function toolComplaints(name: string, environment: readonly string[]): string[] {
    const facts = code.functions[name];
    return facts === undefined ? [] : toolsOf(name, facts, environment);
  }
}

function actionComplaints(
  service: string,
  allowed: ReadonlyMap<string, readonly string[]>,
  used: ReadonlyMap<string, readonly string[]>,
): string[] {
  return [...new Set([...allowed.keys(), ...used.keys()])].flatMap((name) =>
    differences(
      `permission of ${name}`,
      { who: 'iam.tf', has: prefixed(service, allowed.get(name)) },
      { who: 'the code', has: prefixed(service, used.get(name)) },
    ),
  );
}

const prefixed = (service: string, actions: readonly string[] = []): string[] =>
  actions.map((action) => `${service}:${action}`);

/** Terraform lets a function use what it is told of: the variable and the tool come together. */
const tools = [
  ['PULLWIRE_TABLE', 'usesTable', 'the table'],
  ['PULLWIRE_BUCKET', 'usesBucket', 'the bucket'],
  ['PULLWIRE_CONNECTIONS_URL', 'posts', 'the connections'],
  ['PULLWIRE_SECRET', 'readsSecret', 'the secret'],
] as const;

function toolsOf(name: string, facts: FunctionFacts, environment: readonly string[]): string[] {
  return tools.flatMap(([variable, uses, what]) => {
    const told = environment.includes(variable);
    if (told === facts[uses]) return [];
    return told
      ? [`permission of ${name}: relay.json tells it of ${what}, the code does not use that`]
      : [`permission of ${name}: the code uses ${what}, relay.json does not tell it (${variable})`];
  });
}
