import { parseDeviceKey } from '../auth/device-key.ts';
import { isLoopback } from '../config/loopback.ts';
import type { CliContext, CommandOptions } from './cli-context.ts';
import { checkedDeviceId } from './device-id.ts';
import { withRegistry } from './open-registry.ts';
import { parseLabels } from './parse-label.ts';
import { UsageError } from './usage-error.ts';

/** `device add`. */
export async function addDevice(
  id: string,
  options: CommandOptions,
  context: CliContext,
): Promise<void> {
  const device = checkedDeviceId(id);
  const publicKey = voiceOf(options);
  const labels = parseLabels(options['label'] as string[]);
  const createdAt = context.clock.wall();
  await withRegistry(options, context, async (registry) => {
    const outcome = await registry.addDevice({ device, publicKey, labels, createdAt });
    const known = 'is known already; it has these labels now';
    context.note(`device ${device} ${outcome === 'added' ? 'added' : known}\n`);
  });
}

/** What speaks for the device: a key of its own, or an issuer's tokens. */
function voiceOf({ publicKey, issuer }: CommandOptions): string {
  if ((publicKey === undefined) === (issuer === undefined)) {
    throw new UsageError('one of --public-key and --issuer must be given');
  }
  if (issuer !== undefined) return `issuer:${checkedIssuer(String(issuer))}`;
  const key = String(publicKey);
  if (parseDeviceKey(key) !== undefined) return key;
  throw new UsageError('--public-key must be "ed25519:" and 43 characters of base64url');
}

/** As its tokens name it: byte for byte, since `iss` is compared so (OpenID Connect Core 1.0 §3.1.3.7). */
function checkedIssuer(text: string): string {
  const url = URL.parse(text);
  const secure = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(bare(url)));
  if (secure && url?.username === '' && url.search === '' && url.hash === '') return text;
  throw new UsageError('--issuer must be the https URL that its tokens have as "iss"');
}

function bare({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '');
}
