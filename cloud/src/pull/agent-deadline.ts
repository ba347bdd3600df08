/** The agent's is a little shorter, so that its word on what took so long comes in time. */
export function agentDeadlineMs(deadlineMs: number): number {
  return Math.max(1, Math.round(deadlineMs - Math.min(500, deadlineMs * 0.1)));
}
