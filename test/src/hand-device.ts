import type { KeyObject } from 'node:crypto';
import { randomUUID } from 'node:crypto';
import { generateDeviceKey, publicKeyText } from '../../agent/src/identity/device-key.ts';
import { audienceOf, signHandshakeToken } from '../../agent/src/identity/handshake-token.ts';
import type { AwsWorld } from '../../cloud/test/aws/aws-world.ts';
import { HandAgent, type WireFrame } from './hand-agent.ts';

export interface HandDial {
  readonly instance?: string;
  /** Milliseconds by which the device's clock is ahead. */
  readonly aheadMs?: number;
  readonly audience?: string;
}

/** A device that the relay knows, whose links the test itself speaks. */
export class HandDevice {
  readonly device: string;
  readonly #aws: AwsWorld;
  readonly #key: KeyObject;
  readonly #links: HandAgent[] = [];

  private constructor(aws: AwsWorld, device: string, key: KeyObject) {
    this.#aws = aws;
    this.device = device;
    this.#key = key;
  }

  static async add(aws: AwsWorld, device: string): Promise<HandDevice> {
    const key = await generateDeviceKey();
    await aws.addDevice(device, publicKeyText(key));
    return new HandDevice(aws, device, key);
  }

  token({ instance = 'main', aheadMs = 0, audience }: HandDial = {}): Promise<string> {
    return signHandshakeToken(this.#key, {
      device: this.device,
      instance,
      audience: audience ?? audienceOf(this.#aws.linkUrl),
      jti: randomUUID(),
      now: Date.now() + aheadMs,
    });
  }

  /** Dials; resolves when the handshake was answered, one way or the other. */
  async dial(options: HandDial = {}): Promise<HandAgent> {
    const agent = new HandAgent({ url: this.#aws.linkUrl, token: await this.token(options) });
    this.#links.push(agent);
    await agent.opened;
    return agent;
  }

  /** Dials and says hello, with the source `web`; resolves after the welcome. */
  async link(options: HandDial = {}): Promise<HandAgent> {
    const agent = await this.dial(options);
    agent.sendHello(this.device, {
      instance: options.instance ?? 'main',
      sources: [{ name: 'web', kind: 'http', methods: ['GET', 'POST'] }],
      features: ['resend', 'upload'],
    });
    await agent.next('welcome');
    return agent;
  }

  /** Ends what is open. */
  stop(): void {
    for (const link of this.#links.splice(0)) link.terminate();
  }
}

/** A whole small reply to a pull. */
export function headOf(pull: WireFrame, text: string): WireFrame {
  const { pullId, replyTo } = pull;
  const body = Buffer.from(text).toString('base64');
  return { action: 'head', pullId, replyTo, seq: 0, status: 200, headers: [], body, end: true };
}
