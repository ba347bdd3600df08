import type { AgreementParts } from './agreement-parts.ts';
import { type TerraformFiles, wholeText } from './agreement-terraform.ts';

/** A variable of the module or a field of one, the setting of the one-box server that is the same, and how many of it make one. */
const same: readonly [variable: string, setting: string, times: number][] = [
  ['deadline.default_seconds', 'deadline.defaultMs', 1_000],
  ['deadline.max_seconds', 'deadline.maxMs', 1_000],
  ['queue.default_seconds', 'queue.defaultMs', 1_000],
  ['queue.max_seconds', 'queue.maxMs', 1_000],
  ['queue.keep_seconds', 'queue.keepMs', 1_000],
  ['queue.per_device', 'queue.perDevice', 1],
  ['queue.per_caller', 'queue.perCaller', 1],
  ['readings_retention_days', 'readings.retentionDays', 1],
  ['readings_bytes_per_day', 'readings.bytesPerDay', 1],
];

/** Where nobody sets them, both hosts have the same times and bounds: docs/ tells one number. */
export function defaultComplaints({ code, terraform }: AgreementParts): string[] {
  return same.flatMap(([variable, setting, times]) => {
    const theirs = defaultOf(terraform, variable);
    const ours = code.defaults[setting];
    if (theirs !== undefined && theirs * times === ours) return [];
    return [
      `default of ${setting}: ${ours} in the code, ${theirs} in variables.tf (${variable}), times ${times}`,
    ];
  });
}

function defaultOf(terraform: TerraformFiles, path: string): number | undefined {
  const [variable, field] = path.split('.');
  const block = new RegExp(`^variable "${variable}" \\{\\n([\\s\\S]*?)^\\}$`, 'm');
  const text = block.exec(wholeText(terraform))?.[1] ?? '';
  const pattern =
    field === undefined
      ? /^ {2}default\s*=\s*(\d+)$/m
      : new RegExp(`\\b${field}\\s*=\\s*optional\\(number, (\\d+)\\)`);
  const digits = pattern.exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
