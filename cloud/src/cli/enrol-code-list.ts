import type { EnrolCodeRecord } from '../registry/registry.ts';
import { eachItem } from '../registry/registry-pages.ts';
import type { CliContext, CommandOptions } from './cli-context.ts';
import { withRegistry } from './open-registry.ts';
import { type Column, printJson, printTable, timeText } from './output-list.ts';
import { labelText } from './parse-label.ts';

/** `enroll-code list`. */
export async function listEnrolCodes(options: CommandOptions, context: CliContext): Promise<void> {
  await withRegistry(options, context, async (registry) => {
    const codes = eachItem((after) =>
      registry.enrolCodes({ limit: 100, ...(after ? { after } : {}) }),
    );
    if (options['json'] === true) await printJson(withoutHashes(codes), context.out);
    else await printTable(codes, codeColumns(context.clock.wall()), context.out);
  });
}

async function* withoutHashes(codes: AsyncIterable<EnrolCodeRecord>): AsyncGenerator<unknown> {
  for await (const { hash: _, ...shown } of codes) yield shown;
}

const codeColumns = (now: number): readonly Column<EnrolCodeRecord>[] => [
  { title: 'CODE', text: ({ id }) => id },
  { title: 'FOR', text: ({ device, replaces }) => whom(device, replaces) },
  { title: 'STATE', text: (code) => stateText(code, now) },
  { title: 'ADDED', text: ({ createdAt }) => timeText(createdAt) },
  { title: 'LABELS', text: ({ labels }) => labelText(labels) },
];

function whom(device: string | undefined, replaces: boolean | undefined): string {
  if (device === undefined) return 'any new device';
  return replaces === true ? `${device} (replaces)` : device;
}

function stateText({ spent, expiresAt }: EnrolCodeRecord, now: number): string {
  if (spent !== undefined) return `spent ${timeText(spent.at)} by ${spent.device}`;
  const end = timeText(expiresAt * 1_000);
  return expiresAt * 1_000 <= now ? `expired ${end}` : `good until ${end}`;
}
