import { execFile } from 'node:child_process';
import type { Clock, Timer } from '@pullwire/shared';
import type { Logger } from 'pino';

export interface ServiceManagerOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A message that is late or lost must not end a service that is well. */
const messagesInTime = 3;
/** Longer than systemd-notify waits for systemd itself (5 s). */
const notifyLimitMs = 10_000;
const statusLetters = 200;

/**
 * Tells systemd that the agent is up, and then that its event loop turns, as often as `WatchdogSec=` asks for. Node has no
 * datagram sockets of the Unix kind, so it is systemd's own systemd-notify(1) that speaks: the unit has `NotifyAccess=all`.
 * Without `NOTIFY_SOCKET` it does nothing.
 */
export class ServiceManager {
  readonly #options: ServiceManagerOptions;
  #timer: Timer | undefined;
  #warned = false;

  constructor(options: ServiceManagerOptions) {
    this.#options = options;
  }

  /** The agent is up. `status` is what `systemctl status` shows, asked anew with each sign of life. */
  start(status: () => string): void {
    if (!this.#options.env['NOTIFY_SOCKET']) return;
    this.#say('READY=1', status());
    const everyMs = this.#watchdogMs;
    if (everyMs !== undefined) this.#wait(everyMs, status);
  }

  /** No signs of life are given any more, until the next `start`. */
  pause(): void {
    this.#timer?.cancel();
  }

  /** The agent is about to end. */
  stop(): void {
    this.pause();
    this.#say('STOPPING=1', 'stopping');
  }

  #wait(ms: number, status: () => string): void {
    this.#timer = this.#options.clock.after(ms, () => {
      this.#say('WATCHDOG=1', status());
      this.#wait(ms, status);
    });
  }

  /** Undefined where nobody waits for signs of life of this process (sd_watchdog_enabled(3)). */
  get #watchdogMs(): number | undefined {
    const { WATCHDOG_USEC: usec, WATCHDOG_PID: pid } = this.#options.env;
    if (usec === undefined || !/^\d{4,15}$/.test(usec)) return undefined;
    if (pid !== undefined && pid !== String(process.pid)) return undefined;
    return Number(usec) / 1_000 / messagesInTime;
  }

  #say(what: string, status: string): void {
    const { NOTIFY_SOCKET, PATH } = this.#options.env;
    if (!NOTIFY_SOCKET) return;
    const line = `STATUS=${status.replace(/\s+/g, ' ').slice(0, statusLetters)}`;
    const options = { env: { NOTIFY_SOCKET, ...(PATH && { PATH }) }, timeout: notifyLimitMs };
    execFile('systemd-notify', [what, line], options, (error) => {
      if (error !== null) this.#warn(error);
    });
  }

  #warn(err: Error): void {
    if (this.#warned) return;
    this.#warned = true;
    this.#options.log.warn(
      { err },
      'systemd cannot be told that the agent lives, and may end it: is systemd-notify installed?',
    );
  }
}
