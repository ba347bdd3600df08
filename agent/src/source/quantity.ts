import * as v from 'valibot';

const sizeUnits: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1_000,
  MB: 1_000_000,
  GB: 1_000_000_000,
  KiB: 1_024,
  MiB: 1_048_576,
  GiB: 1_073_741_824,
};
const durationUnits: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

/** Bytes: a number, or text such as `64KiB` or `10MB`. */
export function size(least = 0, most = Number.MAX_SAFE_INTEGER) {
  const range = least === 0 && most === Number.MAX_SAFE_INTEGER ? '' : ` from ${least} to ${most}`;
  return quantity(`bytes${range}, as a number or like 64KiB or 10MB`, sizeUnits, least, most);
}

/** Milliseconds: a number, or text such as `30s` or `5m`. Timers hold 31 bits (Node: `setTimeout`). */
export function duration(least = 1, most = 0x7fff_ffff) {
  return quantity('milliseconds, as a number or like 500ms, 30s or 5m', durationUnits, least, most);
}

function quantity(
  what: string,
  units: Readonly<Record<string, number>>,
  least: number,
  most: number,
) {
  return v.pipe(
    v.union([v.number(), v.string()], what),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const count = Math.round(read(dataset.value, units));
      if (count >= least && count <= most) return count;
      addIssue({ message: what });
      return NEVER;
    }),
  );
}

/** Bytes of text such as `500`, `64KiB` or `10MB`; undefined where it is not such a text. */
export function readSize(text: string): number | undefined {
  const bytes = Math.round(/^\d{1,15}$/.test(text) ? Number(text) : read(text, sizeUnits));
  return Number.isNaN(bytes) ? undefined : bytes;
}

/** NaN where it is not a quantity. */
function read(value: number | string, units: Readonly<Record<string, number>>): number {
  if (typeof value === 'number') return value;
  const [, digits, unit] = /^(\d{1,16}(?:\.\d{1,9})?) ?([A-Za-z]{1,3})$/.exec(value) ?? [];
  if (digits === undefined || unit === undefined || !Object.hasOwn(units, unit)) return Number.NaN;
  return Number(digits) * (units[unit] as number);
}
