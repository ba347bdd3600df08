/** Why the agent cannot be made a service here, or be taken away: for people, with what to do. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
}
