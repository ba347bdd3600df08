import { ManualClock } from '@pullwire/shared/manual-clock';
import { describe, expect, it } from 'vitest';
import type { Check, CheckState } from './check.ts';
import { exitCodeOf, runChecks } from './run-checks.ts';
import { patientWith } from './sample-patient.ts';

const patient = patientWith('/nowhere.yaml');

function check(component: string, state: CheckState, needs: string[] = []): Check {
  const finding = { target: 'it', state, details: 'as it is' };
  return { component, needs, limitMs: 1_000, target: () => 'it', run: async () => [finding] };
}

const states = (lines: Awaited<ReturnType<typeof runChecks>>): string[] =>
  lines.map(({ component, state, details }) => `${component} ${state}: ${details}`);

describe('runChecks', () => {
  it('skips what rests on a failed check, names that one, and goes on with the rest', async () => {
    const lines = await runChecks(
      [
        check('dns', 'failed'),
        check('tcp', 'ok', ['dns']),
        check('tls', 'ok', ['tcp']),
        check('disk', 'ok'),
      ],
      patient,
    );
    expect(states(lines)).toEqual([
      'dns failed: as it is',
      'tcp skipped: not checked, because dns failed',
      'tls skipped: not checked, because dns failed',
      'disk ok: as it is',
    ]);
  });

  it.each(['ok', 'warning', 'skipped'] as const)(
    'builds upon a check that is %s',
    async (state) => {
      const lines = await runChecks(
        [check('clock', state), check('tls', 'ok', ['clock'])],
        patient,
      );
      expect(lines[1]?.state).toBe('ok');
    },
  );

  it('a check that does not end has failed when its time is up, and is told', async () => {
    const clock = new ManualClock();
    let wasTold = false;
    const endless: Check = {
      ...check('tcp', 'ok'),
      run: (_patient, signal) => {
        signal.addEventListener('abort', () => {
          wasTold = true;
        });
        return new Promise(() => {});
      },
    };
    const ended = runChecks([endless], patientWith('/nowhere.yaml', { clock }));
    clock.advance(1_000);
    expect(states(await ended)).toEqual(['tcp failed: no result within 1 s']);
    expect(wasTold).toBe(true);
  });

  it('a check that throws is a line, and ends nothing', async () => {
    const thrown: Check = { ...check('disk', 'ok'), run: () => Promise.reject(new Error('odd')) };
    const lines = await runChecks([thrown, check('dns', 'ok')], patient);
    expect(states(lines)).toEqual([
      'disk failed: the check itself failed: odd',
      'dns ok: as it is',
    ]);
  });
});

describe('exitCodeOf', () => {
  it.each<[CheckState[], number]>([
    [[], 0],
    [['ok', 'skipped'], 0],
    [['ok', 'warning', 'skipped'], 1],
    [['warning', 'failed', 'ok'], 2],
  ])('of %j is %i', (found, code) => {
    const lines = found.map((state) => ({ component: 'x', target: 'it', state, details: '' }));
    expect(exitCodeOf(lines)).toBe(code);
  });
});
