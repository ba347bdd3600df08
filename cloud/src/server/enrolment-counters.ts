import type { EnrolRefusal } from '../enroll/enrolment.ts';

/** Enrolments, and those that were refused by their reasons: a closed set. */
export class EnrolmentCounters {
  #enrolled = 0;
  readonly #refused: Partial<Record<EnrolRefusal, number>> = {};

  enrolled(): void {
    this.#enrolled += 1;
  }

  refused(reason: EnrolRefusal): void {
    this.#refused[reason] = (this.#refused[reason] ?? 0) + 1;
  }

  get counts() {
    return { enrolled: this.#enrolled, refusedEnrolments: { ...this.#refused } };
  }
}
