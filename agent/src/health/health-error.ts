/** Where the agent was told to listen for monitors it cannot: for people, with what to do. */
export class HealthError extends Error {
  override readonly name = 'HealthError';
}
