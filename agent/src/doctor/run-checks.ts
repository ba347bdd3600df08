import type { Check, CheckLine, CheckState, Finding } from './check.ts';
import type { Patient } from './patient.ts';

/** Worst last. What is skipped for a failure has that failure beside it, and else there is nothing wrong with it. */
const exitCodes: Readonly<Record<CheckState, number>> = {
  ok: 0,
  skipped: 0,
  warning: 1,
  failed: 2,
};

/** By the worst line: 0 where all is well, 1 for a warning, 2 for a failure. */
export function exitCodeOf(lines: readonly CheckLine[]): number {
  return Math.max(0, ...lines.map(({ state }) => exitCodes[state]));
}

/** One check after the other, each within its time. What rests on a failed one is skipped. Never rejects. */
export async function runChecks(
  checks: readonly Check[],
  patient: Patient,
): Promise<readonly CheckLine[]> {
  const lines: CheckLine[] = [];
  /** Components that cannot be built upon, with the failed one that is the reason. */
  const broken = new Map<string, string>();
  for (const check of checks) {
    const { component } = check;
    const reason = check.needs.map((needed) => broken.get(needed)).find((why) => why !== undefined);
    const findings =
      reason === undefined ? await findingsOf(check, patient) : [skipped(check, patient, reason)];
    if (reason !== undefined) broken.set(component, reason);
    else if (findings.some(({ state }) => state === 'failed')) broken.set(component, component);
    lines.push(...findings.map((finding) => ({ component, ...finding })));
  }
  return lines;
}

function skipped(check: Check, patient: Patient, reason: string): Finding {
  const details = `not checked, because ${reason} failed`;
  return { target: check.target(patient), state: 'skipped', details };
}

async function findingsOf(check: Check, patient: Patient): Promise<readonly Finding[]> {
  const timeUp = new AbortController();
  const late = Promise.withResolvers<readonly Finding[]>();
  const timer = patient.clock.after(check.limitMs, () => {
    timeUp.abort();
    late.resolve([tooLate(check, patient)]);
  });
  try {
    return await Promise.race([check.run(patient, timeUp.signal), late.promise]);
  } catch (error) {
    return [mistake(check, patient, error)];
  } finally {
    timer.cancel();
  }
}

function tooLate(check: Check, patient: Patient): Finding {
  return {
    target: check.target(patient),
    state: 'failed',
    details: `no result within ${check.limitMs / 1_000} s`,
    advice: 'something on the way takes what is sent and says nothing: look for a firewall there',
  };
}

/** A check that throws has met what nobody thought of: the others still have something to say. */
function mistake(check: Check, patient: Patient, error: unknown): Finding {
  return {
    target: check.target(patient),
    state: 'failed',
    details: `the check itself failed: ${error instanceof Error ? error.message : String(error)}`,
    advice: 'this is a mistake in pullwire-agent: please report it with this line',
  };
}
