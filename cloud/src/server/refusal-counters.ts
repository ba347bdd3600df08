import type { ErrorCode, PullFault } from '@pullwire/shared';
import { AuthError, type AuthErrorCode } from '../auth/auth-error.ts';

type Reason = AuthErrorCode | ErrorCode;

/** How often something was refused, by reasons of closed sets: no attacker makes them grow. */
export class RefusalCounters {
  readonly #counts: Partial<Record<Reason, number>> = {};

  /** The reason is that of the credential, where one was at fault. */
  count({ code, cause }: PullFault): void {
    const reason = cause instanceof AuthError ? cause.code : code;
    this.#counts[reason] = (this.#counts[reason] ?? 0) + 1;
  }

  get counts(): Readonly<Partial<Record<Reason, number>>> {
    return { ...this.#counts };
  }
}
