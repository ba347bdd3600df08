import {
  codecFor,
  type FrameLimits,
  type Pull,
  PullFault,
  type RelayMessage,
  type RequestBody,
  type RequestEnd,
} from '@pullwire/shared';
import type { Connection } from '../connection/connection.ts';
import { PostError, type Poster } from '../connection/poster.ts';
import type { PendingWork } from './pending-work.ts';

export interface RemoteConnectionOptions {
  readonly connectionId: string;
  /** Whether the agent announced `resend` (PROTOCOL.md, "Features"). */
  readonly resends: boolean;
  readonly poster: Poster;
  readonly work: PendingWork;
  /** The connection is gone: a post said so. Resolves when the registry knows. Rejects with `PullFault`. */
  gone(connectionId: string): Promise<void>;
  sendFailed(pullId: string, fault: PullFault): void;
  /** The connection is gone, and the pull with it: its first frame was taken before. */
  lost(pullId: string): void;
  room(pullId: string): void;
}

const codec = codecFor('pullwire.v1+json');

/**
 * An agent's socket at a gateway: frames leave as posts, one after the other (AWS.md, "Messages": await each post).
 */
export class RemoteConnection implements Connection {
  readonly #options: RemoteConnectionOptions;
  #last: Promise<void> = Promise.resolve();
  #over = false;

  constructor(options: RemoteConnectionOptions) {
    this.#options = options;
  }

  get connectionId(): string {
    return this.#options.connectionId;
  }

  get limits(): FrameLimits {
    return codec.limits;
  }

  bodyRoom(pull: Pull): number {
    return codec.bodyRoom(pull);
  }

  control(message: RelayMessage): void {
    if (message.action === 'resend' && !this.#options.resends) return;
    const text = codec.encode(message) as string;
    this.#queue(() =>
      message.action === 'pull' ? this.#postPull(message.pullId, text) : this.#post(text, message),
    );
  }

  /** Always asks to hold: the next frame goes when this one has been taken. */
  data(pullId: string, message: Pull | RequestBody | RequestEnd): boolean {
    const text = codec.encode(message) as string;
    this.#queue(async () => {
      if (message.action === 'pull') return this.#postPull(pullId, text);
      await this.#post(text, message);
      this.#options.room(pullId);
    });
    return message.action === 'pull';
  }

  forget(): void {
    this.#over = true;
  }

  close(code: string, reason: string): void {
    this.control({ action: 'bye', code, reason });
    this.#queue(() => this.#options.poster.disconnect(this.connectionId));
  }

  #queue(send: () => Promise<void>): void {
    this.#last = this.#last.then(send).catch(() => undefined);
    this.#options.work.add(this.#last);
  }

  async #postPull(pullId: string, text: string): Promise<void> {
    if (this.#over) return;
    const { poster, gone } = this.#options;
    try {
      await poster.post(this.connectionId, text);
    } catch (error) {
      const isGone = error instanceof PostError && error.code === 'gone';
      // The registry knows before another link is looked for there.
      const fault = isGone ? await gone(this.connectionId).then(offline, toFault) : toFault(error);
      this.#options.sendFailed(pullId, fault);
    }
  }

  async #post(text: string, message: RelayMessage): Promise<void> {
    const { poster, gone, lost, sendFailed } = this.#options;
    try {
      await poster.post(this.connectionId, text);
    } catch (error) {
      const pullId = 'pullId' in message ? message.pullId : undefined;
      if (error instanceof PostError && error.code === 'gone') {
        await gone(this.connectionId).catch(() => undefined);
        if (pullId !== undefined) lost(pullId);
        return;
      }
      // A question that is lost is asked again.
      if (pullId !== undefined && message.action !== 'resend') sendFailed(pullId, toFault(error));
    }
  }
}

function offline(): PullFault {
  return new PullFault('device-offline', 'send', {
    detail: 'the device was connected a moment ago, and its connection is gone',
    retryAfterMs: 5_000,
  });
}

function toFault(error: unknown): PullFault {
  if (error instanceof PullFault) return error;
  const code = error instanceof PostError ? error.code : 'failed';
  if (code === 'full') {
    return new PullFault('link-full', 'send', {
      detail: 'the gateway takes no more for this device now (429)',
      retryAfterMs: 1_000,
      cause: error,
    });
  }
  const detail = error instanceof PostError ? error.message : 'the frame could not be posted';
  return new PullFault('link-lost', 'send', { detail, retryAfterMs: 1_000, cause: error });
}
