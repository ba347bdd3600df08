/** The command cannot be understood. The message says what is expected, in one sentence. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
