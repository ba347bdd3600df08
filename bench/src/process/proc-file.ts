/** What we read of `/proc/PID/stat`. */
export interface ProcStat {
  readonly pid: number;
  readonly parentPid: number;
  /** User and system time of all its threads so far. */
  readonly cpuSeconds: number;
}

/** USER_HZ is 100 on every architecture that Node 24 runs on (proc(5), time(7)). */
const ticksPerSecond = 100;

/**
 * Parses `/proc/PID/stat` (proc(5)): the name, in parentheses, may itself hold spaces and parentheses.
 *
 * @throws Error where the text is not of that form.
 */
export function parseProcStat(text: string): ProcStat {
  const nameEnd = text.lastIndexOf(')');
  const fields = text
    .slice(nameEnd + 1)
    .trim()
    .split(/\s+/);
  // Behind the name come state (field 3), ppid (4), … utime (14), stime (15).
  const [pid, parentPid, user, system] = [
    text.split(' ', 1)[0],
    fields[1],
    fields[11],
    fields[12],
  ].map(Number);
  const found = [pid, parentPid, user, system];
  if (nameEnd < 0 || found.some((value) => value === undefined || Number.isNaN(value))) {
    throw new Error(`not a line of /proc/PID/stat: ${text.slice(0, 80)}`);
  }
  return {
    pid: pid as number,
    parentPid: parentPid as number,
    cpuSeconds: ((user as number) + (system as number)) / ticksPerSecond,
  };
}

/** Bytes of resident memory by `/proc/PID/status`; 0 where there are none (a process that is ending). */
export function parseResidentBytes(status: string): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(status);
  return match === null ? 0 : Number(match[1]) * 1_024;
}
