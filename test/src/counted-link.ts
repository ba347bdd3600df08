import { join } from 'node:path';
import type { Agent } from '../../agent/src/agent.ts';
import type { LinkSnapshot } from '../../agent/src/link/agent-link.ts';
import type { KeepAliveSnapshot } from '../../agent/src/link/link-pace.ts';
import type { AwsWorld } from '../../cloud/test/aws/aws-world.ts';
import { agentInProcess } from './agent-in-process.ts';
import type { CertificateChain } from './certificate-chain.ts';
import { command } from './program.ts';
import type { SteppedClock } from './stepped-clock.ts';
import { TcpRelay } from './tcp-relay.ts';
import { TlsFront } from './tls-front.ts';
import { until } from './until.ts';

/** Of IPv4 and TCP with time stamps. */
const headerBytes = 52;
/** Three to open a connection, two of them with options; a FIN each way and what acknowledges them. */
const connectionBytes = 60 + 60 + 5 * headerBytes;

/** Each link is replaced in the middle of its jitter: a day has as many of them as one has on average. */
const middle = (): number => 0.5;

export interface CountedLinkOptions {
  readonly folder: string;
  readonly device: string;
  readonly clock: SteppedClock;
  readonly aws: AwsWorld;
  readonly certificate: CertificateChain;
  /** Whether the gateway resumes TLS. */
  readonly resumes: boolean;
}

/** An agent whose way to the gateway is TLS, and counted by the byte. */
export class CountedLink {
  readonly agent: Agent;
  readonly front: TlsFront;
  readonly wire: TcpRelay;

  private constructor(agent: Agent, front: TlsFront, wire: TcpRelay) {
    this.agent = agent;
    this.front = front;
    this.wire = wire;
  }

  /** Resolves when the link is open. */
  static async open(options: CountedLinkOptions): Promise<CountedLink> {
    const { folder, device, clock, aws, certificate, resumes } = options;
    const gateway = new URL(aws.linkUrl);
    const front = await TlsFront.start(certificate, Number(gateway.port), { resumes });
    const wire = await TcpRelay.start(front.port);
    const keyFile = join(folder, `${device}.key`);
    const { stdout } = await command('agent', ['keygen', '--out', keyFile]);
    await aws.addDevice(device, stdout.trim());
    const relay = `wss://127.0.0.1:${wire.port}${gateway.pathname}`;
    const config = { relay, audience: gateway.host, ca: certificate.ca, keyFile, sources: {} };
    const agent = agentInProcess(folder, { device, ...config }, clock, middle);
    const link = new CountedLink(agent, front, wire);
    await agent.start();
    await until(() => agent.snapshot().link?.state === 'open');
    return link;
  }

  /** Keep-alives that were answered. */
  get exchanges(): number {
    const { framesIn, links } = this.#counters;
    return framesIn - links;
  }

  /** Messages that it sent. */
  get sent(): number {
    return this.#counters.framesOut;
  }

  /** WebSockets that it has: one more than its link while another one retires. */
  get sockets(): number {
    return 1 + this.#link.retiring;
  }

  get keepAlive(): KeepAliveSnapshot {
    return this.#link.keepAlive;
  }

  /** Links that ended before another one had taken their place. */
  get linksLost(): number {
    const { links, replaced } = this.#counters;
    return links - replaced - 1;
  }

  /** Nothing is under way: no dial, no link that closes, and no question that is not answered. */
  get isSettled(): boolean {
    const { replacing, retiring } = this.#link;
    const { dials, links, framesIn, framesOut, replaced } = this.#counters;
    // A link that has a successor says `drain` and, at its end, `bye`: neither is answered.
    const unanswered = 2 * replaced - retiring;
    return !replacing && dials === links && framesOut - framesIn === unanswered;
  }

  /**
   * All that went over the wire, in bytes: TLS as it was counted, TCP and IP by what they take. Every packet is taken to
   * be acknowledged by one of its own, which is more than TCP does; only a keep-alive's answer acknowledges its question.
   */
  get cost(): number {
    const { up, down, accepted } = this.wire;
    const packets = 2 * (up.packets + down.packets) - this.exchanges;
    return up.passed + down.passed + packets * headerBytes + accepted * connectionBytes;
  }

  async stop(): Promise<void> {
    await this.agent.stop();
    await this.wire.stop();
    this.front.stop();
  }

  get #link(): LinkSnapshot {
    const { link } = this.agent.snapshot();
    if (link === undefined) throw new Error('the agent has not started');
    return link;
  }

  get #counters(): LinkSnapshot['counters'] {
    return this.#link.counters;
  }
}
