/**
 * The value of a sample in Prometheus' text format 0.0.4, its labels in the order in which they stand there:
 * `name{label="value"}`.
 *
 * @throws Error where the text has no such sample.
 */
export function sampleOf(text: string, sample: string): number {
  const line = text.split('\n').find((each) => each.startsWith(`${sample} `));
  if (line === undefined) throw new Error(`no ${sample} in:\n${text.slice(0, 500)}`);
  return Number(line.slice(sample.length + 1));
}

/** Names of the metrics that a text in Prometheus' format has, sorted. */
export function metricNames(text: string): string[] {
  return [...text.matchAll(/^# TYPE (\S+) \w+$/gm)].map(([, name]) => name as string).sort();
}

/**
 * The counters of nginx's `stub_status` (ngx_http_stub_status_module, "Data").
 *
 * @throws Error where the text is another.
 */
export function stubStatus(text: string): { accepts: number; handled: number; requests: number } {
  const found =
    /^Active connections: \d+ \nserver accepts handled requests\n (\d+) (\d+) (\d+) \nReading: \d+ Writing: \d+ Waiting: \d+ \n$/.exec(
      text,
    );
  if (found === null) throw new Error(`no stub_status: ${text}`);
  const [accepts, handled, requests] = found.slice(1).map(Number) as [number, number, number];
  return { accepts, handled, requests };
}

/** What `df -P -k PATH` prints (POSIX, "df", STDOUT): a head and one line. */
export interface DiskUse {
  readonly totalKiB: number;
  readonly usedKiB: number;
  readonly availableKiB: number;
  readonly percent: number;
  readonly mountedOn: string;
}

/** @throws Error where the text is another. */
export function diskUse(text: string): DiskUse {
  const [head = '', line = '', ...rest] = text.split('\n');
  const isHead = /^Filesystem +1024-blocks +Used +Available +Capacity +Mounted on$/.test(head);
  const found = /^\S+ +(\d+) +(\d+) +(\d+) +(\d+)% +(\/\S*)$/.exec(line);
  if (!isHead || found === null || rest.join('') !== '') throw new Error(`no df -P -k: ${text}`);
  const [, total, used, available, percent, mountedOn = ''] = found;
  return {
    ...{ totalKiB: Number(total), usedKiB: Number(used), availableKiB: Number(available) },
    ...{ percent: Number(percent), mountedOn },
  };
}
