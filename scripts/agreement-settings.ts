import { differences } from './agreement-difference.ts';
import type { RelayManifest } from './agreement-manifest.ts';
import type { AgreementParts } from './agreement-parts.ts';
import {
  argument,
  localMap,
  manifestPaths,
  type TerraformFiles,
  wholeText,
} from './agreement-terraform.ts';

/** Terraform takes its facts from relay.json, all of them, and writes none of them a second time. */
export function settingComplaints({ manifest, terraform }: AgreementParts): string[] {
  return [
    ...valueComplaints(manifest, terraform),
    ...settings.flatMap((setting) => settingComplaint(terraform, ...setting)),
    ...pathComplaints(manifest, terraform),
    ...deadlineComplaints(manifest, terraform),
  ];
}

/** Each variable that a function may ask for has a value. */
function valueComplaints({ functions }: RelayManifest, terraform: TerraformFiles): string[] {
  const asked = Object.values(functions).flatMap(({ environment }) => environment);
  const values = localMap(terraform, 'environment').matchAll(/^ {4}(\w+)\s*=/gm);
  return differences(
    'variable',
    { who: 'relay.json', has: [...new Set(asked)].sort() },
    { who: 'local.environment', has: [...values].map(([, name = '']) => name) },
  );
}

const lambda = 'aws_lambda_function.function';
const table = 'aws_dynamodb_table.registry';
const manifestOf = (path: string): string => `local.manifest.${path}`;

/** Arguments that stand for what relay.json says, and how they have to. */
const settings: readonly [resource: string, argument: string, expression: string][] = [
  [lambda, 'for_each', manifestOf('functions')],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: Terraform's own template
  [lambda, 'filename', '"${local.lambda_folder}/${each.key}.zip"'],
  [lambda, 'handler', manifestOf('handler')],
  [lambda, 'runtime', manifestOf('runtime')],
  [lambda, 'architectures', '[local.manifest.architecture]'],
  [lambda, 'memory_size', 'each.value.memoryMb'],
  [lambda, 'timeout', 'each.value.timeoutSeconds'],
  [lambda, 'variables', '{ for name in each.value.environment : name => local.environment[name] }'],
  ['aws_iam_role.function', 'for_each', manifestOf('functions')],
  ['aws_iam_role_policy.function', 'for_each', manifestOf('functions')],
  ['aws_cloudwatch_log_group.function', 'for_each', manifestOf('functions')],
  [
    'aws_apigatewayv2_api.websocket',
    'route_selection_expression',
    manifestOf('webSocket.routeSelectionExpression'),
  ],
  ['aws_apigatewayv2_route.route', 'for_each', 'local.routes'],
  ['aws_apigatewayv2_route.route', 'route_key', 'each.key'],
  ['aws_apigatewayv2_integration.function', 'for_each', 'toset(local.lambda_keys)'],
  ['aws_apigatewayv2_integration.mock', 'for_each', 'toset(local.mock_keys)'],
  ['aws_lambda_permission.route', 'for_each', 'toset(local.lambda_keys)'],
  ['aws_lambda_function_url.http', 'invoke_mode', manifestOf('http.invokeMode')],
  ['aws_cloudwatch_event_rule.sweep', 'schedule_expression', manifestOf('schedule.expression')],
  [table, 'billing_mode', manifestOf('table.billingMode')],
  [table, 'hash_key', manifestOf('table.partitionKey')],
  [table, 'range_key', manifestOf('table.sortKey')],
  [table, 'projection_type', manifestOf('table.listIndex.projection')],
  ['aws_s3_bucket_lifecycle_configuration.objects', 'for_each', 'local.object_days'],
  ['aws_s3_bucket_lifecycle_configuration.objects', 'days', 'rule.value'],
];

function settingComplaint(
  terraform: TerraformFiles,
  resource: string,
  name: string,
  expression: string,
): string[] {
  const written = argument(terraform, resource, name);
  if (written === expression) return [];
  return [`${resource}: ${name} is ${written ?? 'not set'}, and has to be ${expression}`];
}

/** What stands in a map of relay.json is named as its element; the rest by its whole path. */
const elements: readonly [path: RegExp, element: string][] = [
  [/^functions\.[^.]+\.(\w+)/, String.raw`\beach\.value`],
  [
    /^webSocket\.routes\.[^.]+\.(\w+)/,
    String.raw`(\beach\.value|\broute|local\.routes\[each\.key\])`,
  ],
];

function pathComplaints(manifest: RelayManifest, terraform: TerraformFiles): string[] {
  const named = manifestPaths(terraform);
  const known = pathsIn(manifest);
  const text = wholeText(terraform);
  const unused = [...new Set(leavesOf(manifest))].filter((path) => !isUsed(path, named, text));
  return [
    ...unused.map((path) => `${path}: in relay.json, Terraform does not use it`),
    ...named
      .filter((path) => !known.has(path))
      .map((path) => `${path}: Terraform uses it, relay.json has no such thing`),
  ];
}

function isUsed(path: string, named: readonly string[], text: string): boolean {
  for (const [pattern, element] of elements) {
    const field = pattern.exec(path)?.[1];
    if (field !== undefined) return new RegExp(`${element}\\.${field}\\b`).test(text);
  }
  // A whole map may be taken at once: the prefixes of the bucket.
  return named.some((name) => name === path || (path.startsWith(`${name}.`) && name.includes('.')));
}

/** Paths of values; lists are values. */
function leavesOf(value: object, path = ''): string[] {
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? leavesOf(inner, `${path}${key}.`)
      : [`${path}${key}`],
  );
}

/** Every path, those of maps too. */
function pathsIn(manifest: RelayManifest): Set<string> {
  return new Set(
    leavesOf(manifest).flatMap((leaf) => {
      const names = leaf.split('.');
      return names.map((_, index) => names.slice(0, index + 1).join('.'));
    }),
  );
}

/** The longest deadline that Terraform sets by itself leaves the http function time to say what went wrong. */
function deadlineComplaints(
  { functions, http }: RelayManifest,
  terraform: TerraformFiles,
): string[] {
  const text = wholeText(terraform);
  const most = Number(/max_seconds\s*=\s*optional\(number, (\d+)\)/.exec(text)?.[1]);
  const seconds = functions[http.function]?.timeoutSeconds ?? 0;
  return most <= seconds - marginSeconds
    ? []
    : [
        `timeout of ${http.function}: ${seconds} s in relay.json, deadlines of ${most} s in variables.tf, ` +
          `which want ${marginSeconds} s more`,
      ];
}

const marginSeconds = 30;
