import type { Command } from 'commander';
import { generateEnrolCode } from '../enroll/enrol-code.ts';
import type { EnrolCodeRecord, Registry } from '../registry/registry.ts';
import type { CliContext, CommandOptions } from './cli-context.ts';
import { addPlaceOptions } from './config-option.ts';
import { checkedDeviceId } from './device-id.ts';
import { listEnrolCodes } from './enrol-code-list.ts';
import { withRegistry } from './open-registry.ts';
import { timeText } from './output-list.ts';
import { parseDuration } from './parse-duration.ts';
import { labelText, parseLabels } from './parse-label.ts';
import { collect } from './repeat.ts';
import { UsageError } from './usage-error.ts';

/** A code that lies about for longer than 30 days is found by somebody else. */
const longestTtl = 30 * 86_400;

/** `enroll-code`, `enroll-code list|remove`. */
export function addEnrolCodeCommands(program: Command, context: CliContext): void {
  const command = program.command('enroll-code').enablePositionalOptions();
  addPlaceOptions(command, ['publicUrl'])
    .description('make a code with which a device brings its key, once; it is printed on stdout')
    .option('--device <id>', 'only for this device. Default: the device says its id, a new one.')
    .option('--replace', 'the device may be known: its key is replaced, and a revocation lifted')
    .option('--label <name=value>', 'a label that the device gets; repeatable', collect, [])
    .option('--ttl <duration>', 'how long it is good: such as 30m or 7d, at most 30d', '1h')
    .action((options: CommandOptions) => makeCode(options, context));
  addPlaceOptions(command.command('list'))
    .description('show the codes, without what is secret of them')
    .option('--json', 'as a JSON array')
    .action((options: CommandOptions) => listEnrolCodes(options, context));
  addPlaceOptions(command.command('remove'))
    .description('take back a code that nobody has spent')
    .argument('<id>', 'the id of the code: what stands between its two underscores')
    .action((id: string, options: CommandOptions) => removeCode(id, options, context));
}

async function makeCode(options: CommandOptions, context: CliContext): Promise<void> {
  const now = context.clock.wall();
  const terms = termsOf(options, now);
  await withRegistry(options, context, async (registry, { publicUrl }) => {
    if (terms.replaces !== true) await checkNew(registry, terms.device);
    const { id, code, hash } = generateEnrolCode();
    await registry.addEnrolCode({ id, hash, createdAt: now, ...terms });
    context.note(`code ${id} for ${describe(terms)}\n`);
    context.note(`It is shown this once. On the device: ${enrolCommand(terms, publicUrl)}\n`);
    context.out(`${code}\n`);
  });
}

type Terms = Omit<EnrolCodeRecord, 'id' | 'hash' | 'createdAt'>;

function termsOf(options: CommandOptions, now: number): Terms {
  const { device, replace, ttl } = options;
  if (replace === true && device === undefined) {
    throw new UsageError('--replace needs --device: whose key may be replaced?');
  }
  const seconds = parseDuration('--ttl', String(ttl));
  if (seconds > longestTtl) throw new UsageError(`--ttl must be at most 30d, not "${ttl}"`);
  return {
    ...(device === undefined ? {} : { device: checkedDeviceId(String(device)) }),
    ...(replace === true ? { replaces: true } : {}),
    labels: parseLabels(options['label'] as string[]),
    expiresAt: Math.ceil(now / 1_000) + seconds,
  };
}

/** Such a code would be refused when it is brought: better to hear of it here. */
async function checkNew(
  registry: Pick<Registry, 'deviceRecord'>,
  device: string | undefined,
): Promise<void> {
  if (device === undefined) return;
  const record = await registry.deviceRecord(device);
  if (record === undefined) return;
  const state = record.revokedAt === undefined ? 'known already' : 'known, and revoked';
  const effect = record.revokedAt === undefined ? '' : ' and the revocation lifted';
  throw new Error(
    `the device ${device} is ${state}: with --replace the code makes it one whose key is replaced${effect}`,
  );
}

function describe({ device, replaces, labels, expiresAt }: Terms): string {
  const whom = device === undefined ? 'any new device' : `device ${device}`;
  const replacing = replaces === true ? ', in place of the key that it has' : '';
  const labelled = Object.keys(labels).length === 0 ? '' : `, labelled ${labelText(labels)}`;
  return `${whom}${replacing}${labelled}; good once, until ${timeText(expiresAt * 1_000)}`;
}

/** Without the code: what goes to stderr is often kept. */
function enrolCommand({ device }: Terms, publicUrl: string | undefined): string {
  const relay = publicUrl ?? 'URL';
  const naming = device === undefined ? ' --device ID' : '';
  const unsaid =
    publicUrl === undefined ? ' (URL: the address at which the device reaches the relay)' : '';
  return `pullwire-agent enroll --relay ${relay}${naming} --code CODE${unsaid}`;
}

async function removeCode(
  text: string,
  options: CommandOptions,
  context: CliContext,
): Promise<void> {
  const id = text.replace(/^pwe_/, '');
  if (!/^[a-z2-9]{6}$/.test(id)) {
    throw new UsageError('the id of a code has 6 characters; give no more of the code than that');
  }
  await withRegistry(options, context, async (registry) => {
    if (!(await registry.removeEnrolCode(id))) {
      throw new Error(`there is no code ${id} that nobody has spent`);
    }
    context.note(`code ${id} removed\n`);
  });
}
