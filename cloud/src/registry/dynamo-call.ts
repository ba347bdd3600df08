import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  DynamoDBServiceException,
  ResourceNotFoundException,
} from '@aws-sdk/client-dynamodb';
import { RegistryError } from './registry-error.ts';

/** A table, and the client that reaches it. */
export interface DynamoTable {
  readonly client: DynamoDBClient;
  readonly name: string;
}

/** The error names of credentials that are missing, expired, unknown or not enough (AWS "Common errors"). */
const denials = new Set([
  'AccessDeniedException',
  'CredentialsProviderError',
  'ExpiredTokenException',
  'IncompleteSignature',
  'InvalidSignatureException',
  'MissingAuthenticationTokenException',
  'NotAuthorized',
  'UnrecognizedClientException',
]);

/** Runs one call. What the SDK throws becomes a `RegistryError`: its exceptions stop here. */
export async function call<T>(table: DynamoTable, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    throw toRegistryError(table, cause);
  }
}

/** Runs one conditional write: true where it was written, false where its condition did not hold. */
export async function write(table: DynamoTable, run: () => Promise<unknown>): Promise<boolean> {
  try {
    await run();
    return true;
  } catch (cause) {
    if (cause instanceof ConditionalCheckFailedException) return false;
    throw toRegistryError(table, cause);
  }
}

function toRegistryError({ name: table }: DynamoTable, cause: unknown): RegistryError {
  if (cause instanceof RegistryError) return cause;
  if (cause instanceof ResourceNotFoundException) {
    return new RegistryError('table-missing', `there is no table "${table}"`, cause);
  }
  const reason = reasonOf(cause);
  if (denials.has(reason)) {
    return new RegistryError(
      'denied',
      `access to the table "${table}" was denied: ${reason}`,
      cause,
    );
  }
  if (cause instanceof DynamoDBServiceException && reason === 'ValidationException') {
    return new RegistryError('refused', `the table "${table}" refused it: ${cause.message}`, cause);
  }
  return new RegistryError('unavailable', `the table "${table}" cannot be used: ${reason}`, cause);
}

/** The system's code (`ECONNREFUSED`) where there is one, else the exception's name. */
function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return 'unknown';
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name;
}
