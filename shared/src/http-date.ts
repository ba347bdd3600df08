const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const time = '(\\d\\d):(\\d\\d):(\\d\\d)';
const month = `(${months.join('|')})`;
const imfFixdate = new RegExp(
  `^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\\d\\d) ${month} (\\d{4}) ${time} GMT$`,
);
const rfc850 = new RegExp(
  `^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (\\d\\d)-${month}-(\\d\\d) ${time} GMT$`,
);
const asctime = new RegExp(
  `^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ${month} ([\\d ]\\d) ${time} (\\d{4})$`,
);

/**
 * Seconds since the epoch of an HTTP-date in any of its three forms (RFC 9110 §5.6.7); undefined where it is none, so
 * that it can be ignored as §13.1.3 asks. `wallMs` settles the century of two-digit years.
 */
export function parseHttpDate(text: string, wallMs: number): number | undefined {
  const fixed = imfFixdate.exec(text);
  if (fixed !== null) {
    const [, day, name, year, ...clock] = fixed;
    return secondsOf(Number(year), name, day, clock);
  }
  const old = rfc850.exec(text);
  if (old !== null) {
    const [, day, name, year, ...clock] = old;
    return secondsOf(fullYear(Number(year), wallMs), name, day, clock);
  }
  const [, name, day, hours, minutes, seconds, year] = asctime.exec(text) ?? [];
  if (name === undefined) return undefined;
  return secondsOf(Number(year), name, day, [hours, minutes, seconds]);
}

/** An IMF-fixdate: what JavaScript calls a UTC string. */
export function formatHttpDate(seconds: number): string {
  return new Date(seconds * 1_000).toUTCString();
}

function secondsOf(
  year: number,
  monthName: string | undefined,
  day: string | undefined,
  clock: readonly (string | undefined)[],
): number {
  const [hours, minutes, seconds] = clock.map(Number);
  const monthIndex = months.indexOf(monthName ?? '');
  return Date.UTC(year, monthIndex, Number(day), hours, minutes, seconds) / 1_000;
}

/** More than 50 years in the future means the past (RFC 9110 §5.6.7). */
function fullYear(twoDigits: number, wallMs: number): number {
  const thisYear = new Date(wallMs).getUTCFullYear();
  const year = thisYear - (thisYear % 100) + twoDigits;
  return year > thisYear + 50 ? year - 100 : year;
}
