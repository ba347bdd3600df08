import type { AuthorizerContext } from '../../src/lambda/event.ts';
import { gatewayLimit } from './gateway-limit.ts';
import { HandshakeRefusal } from './handshake-refusal.ts';

interface Statement {
  readonly Effect?: unknown;
  readonly Action?: unknown;
  readonly Resource?: unknown;
}

/**
 * Reads what an authorizer answered ("Output from an API Gateway Lambda authorizer"). Gives the context of the
 * connection, with `principalId`. Throws `HandshakeRefusal`: 403 where the policy does not allow `methodArn`, 500
 * where the answer is not one.
 */
export function judge(
  answer: unknown,
  methodArn: string,
  contextAsText: boolean,
): AuthorizerContext {
  if (!isRecord(answer)) throw malformed('no object');
  const { principalId, policyDocument, context = {} } = answer;
  if (typeof principalId !== 'string' || principalId === '') throw malformed('no principalId');
  if (!isRecord(policyDocument) || !Array.isArray(policyDocument['Statement'])) {
    throw malformed('no policyDocument with a Statement');
  }
  if (Buffer.byteLength(JSON.stringify(answer)) > gatewayLimit.contextBytes)
    throw malformed('over 8 KB');
  if (!allows(policyDocument['Statement'] as readonly unknown[], methodArn)) {
    throw new HandshakeRefusal(403, 'Forbidden');
  }
  return { principalId, ...checkedContext(context, contextAsText) };
}

function malformed(what: string): HandshakeRefusal {
  return new HandshakeRefusal(500, `the authorizer's answer: ${what}`);
}

function checkedContext(context: unknown, asText: boolean): AuthorizerContext {
  if (!isRecord(context)) throw malformed('context is no object');
  const entries = Object.entries(context).map(([key, value]) => {
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
      throw malformed(`context.${key} is neither text, number nor boolean`);
    }
    return [key, asText ? String(value) : value] as const;
  });
  return Object.fromEntries(entries);
}

/** A Deny wins over every Allow, and no Allow is a Deny. */
function allows(statements: readonly unknown[], methodArn: string): boolean {
  const effects = statements
    .filter(isRecord)
    .filter((statement: Statement) => covers(statement, methodArn))
    .map((statement: Statement) => statement.Effect);
  return effects.includes('Allow') && !effects.includes('Deny');
}

function covers({ Action, Resource }: Statement, methodArn: string): boolean {
  return (
    list(Action).some((action) => matches(action, 'execute-api:Invoke')) &&
    list(Resource).some((resource) => matches(resource, methodArn))
  );
}

function list(value: unknown): readonly string[] {
  return [value].flat().filter((each) => typeof each === 'string');
}

/** `*` and `?` as in IAM. */
function matches(pattern: string, text: string): boolean {
  const source = pattern
    .replaceAll(/[\\^$.|+()[\]{}]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`).test(text);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
