import { PullFault } from '@pullwire/shared';
import type { ProcessExit } from './process-group.ts';

/** A command that ended otherwise than with 0: its code or signal, and the end of what it wrote to stderr. */
export function commandFault(
  source: string,
  { code, signal }: ProcessExit,
  stderr: string,
  stage: 'upstream' | 'stream',
): PullFault {
  const how = code === null ? `was ended by ${signal}` : `exited with ${code}`;
  return new PullFault('command-failed', stage, {
    detail: `the command of source "${source}" ${how}`,
    extra: {
      ...(code === null ? { signal: String(signal) } : { exitCode: code }),
      ...(stderr === '' ? undefined : { stderr }),
    },
  });
}
