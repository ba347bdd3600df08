import { createTask, validateDetailed } from 'node-cron';

/** @throws Error with what is expected, for people. */
export function checkCron(expression: string): void {
  const { valid, errors } = validateDetailed(expression);
  if (!valid) {
    const [first] = errors;
    const why = first === undefined ? '' : ` (${first.field}: ${first.message})`;
    throw new Error(`a cron expression of 5 or 6 fields, seconds first where there are 6${why}`);
  }
  if (!comes(expression)) throw new Error('a cron expression of a time that comes');
}

/** @throws Error with what is expected, for people. */
export function checkTimeZone(timeZone: string): void {
  try {
    new Intl.DateTimeFormat('en', { timeZone });
  } catch {
    throw new Error('a time zone of the IANA data base, such as Europe/Berlin or UTC');
  }
}

/** The 30th of February can be written. */
function comes(expression: string): boolean {
  const task = createTask(expression, () => {});
  try {
    return task.getNextRuns(1).length > 0;
  } catch {
    return false;
  } finally {
    void task.destroy();
  }
}
