import {
  codecFor,
  type Feature,
  type Hello,
  protocolVersion,
  type SourceInfo,
  WireError,
} from '@pullwire/shared';
import type { AgentConfig } from './config/agent-config.ts';
import { ConfigError } from './config/config-error.ts';
import { version } from './version.ts';

/**
 * What the agent says of itself.
 *
 * @throws ConfigError where it would not fit into a frame: no link could ever be opened.
 */
export function helloOf(config: AgentConfig, sources: readonly SourceInfo[]): Hello {
  const { device, instance, labels, subprotocols } = config;
  const agent = `pullwire-agent/${version}`;
  const own: readonly Feature[] = config.tokenFile === null ? ['rotate'] : [];
  const features: readonly Feature[] = ['hold', 'probe', 'readings', 'resend', ...own, 'upload'];
  const hello = {
    action: 'hello',
    version: protocolVersion,
    agent,
    device,
    instance,
    sources,
    labels,
    features,
  } as const;
  // A link adds its run.
  const longest = { ...hello, run: '0'.repeat(64) };
  for (const subprotocol of subprotocols) mustFit(longest, subprotocol);
  if (subprotocols.length === 0) mustFit(longest, 'pullwire.v1+json');
  return hello;
}

function mustFit(hello: Hello, subprotocol: AgentConfig['subprotocols'][number]): void {
  try {
    codecFor(subprotocol).encode(hello);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    const expected = `names, methods and labels that fit into a hello of ${subprotocol} (${error.message})`;
    throw new ConfigError([{ key: 'sources, labels', value: undefined, expected }]);
  }
}
