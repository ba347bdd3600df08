import { type LogLevel, logTo } from '@pullwire/shared/process-log';
import { type Logger, pino } from 'pino';

/** A function's log: each line is written at once, for whatever waits is frozen with the environment. */
export function functionLog(level: LogLevel): Logger {
  return logTo(pino.destination({ dest: 1, sync: true }), level);
}
