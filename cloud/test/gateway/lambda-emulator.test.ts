import type { Clock } from '@pullwire/shared';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { describe, expect, test } from 'vitest';
import type { LambdaContext } from '../../src/lambda/event.ts';
import { LambdaEmulator, type LambdaEmulatorOptions } from './lambda-emulator.ts';
import type { Compose } from './lambda-environment.ts';

function emulate(compose: Compose, more: Partial<LambdaEmulatorOptions> = {}) {
  const clock = new ManualClock();
  return {
    clock,
    lambda: new LambdaEmulator({ name: 'f', compose, clock, timeoutMs: 1000, ...more }),
  };
}

/** Answers how often its environment was asked. */
const counting: Compose = () => {
  let count = 0;
  return async () => {
    count += 1;
    return count;
  };
};

describe('a Lambda emulator', () => {
  test('one request after the other is served by one environment, with its memory', async () => {
    const { lambda } = emulate(counting);
    expect([await lambda.invoke({}), await lambda.invoke({})]).toEqual([1, 2]);
    expect(lambda.counts).toEqual({ invocations: 2, coldStarts: 1, errors: 0, throttles: 0 });
  });

  test('two at once have an environment each, and the latest used is taken first', async () => {
    const { lambda } = emulate(counting);
    const hold = lambda.holdNext();
    const first = lambda.invoke({});
    await hold.arrived;
    expect(await lambda.invoke({})).toBe(1);
    hold.release();
    await first;
    expect(lambda.environments).toHaveLength(2);
    await lambda.invoke({});
    expect(lambda.environments.map((each) => each.invocations)).toEqual([1, 2]);
  });

  test('over its most environments it throttles', async () => {
    const { lambda } = emulate(counting, { maxEnvironments: 1 });
    const hold = lambda.holdNext();
    const first = lambda.invoke({});
    await hold.arrived;
    await expect(lambda.invoke({})).rejects.toMatchObject({ kind: 'throttled' });
    hold.release();
    await first;
    expect(lambda.counts).toMatchObject({ invocations: 1, throttles: 1, errors: 0 });
  });

  test('event and result pass through JSON', async () => {
    const got: unknown[] = [];
    const { lambda } = emulate(() => async (event: unknown) => {
      got.push(event);
      return { at: new Date(0), left: undefined, bytes: Buffer.from('x') };
    });
    const result = await lambda.invoke({ at: new Date(0), left: undefined });
    expect(got).toEqual([{ at: '1970-01-01T00:00:00.000Z' }]);
    expect(result).toEqual({
      at: '1970-01-01T00:00:00.000Z',
      bytes: { type: 'Buffer', data: [120] },
    });
  });

  test.each([
    ['a big integer', () => 1n, 'malformed'],
    ['over 6 MB', () => 'x'.repeat(6 * 1024 * 1024), 'result-too-large'],
  ])('a result that is %s is an error', async (_name, result, kind) => {
    const { lambda } = emulate(() => async () => result());
    await expect(lambda.invoke({})).rejects.toMatchObject({ kind });
    expect(lambda.counts.errors).toBe(1);
  });

  test('an event over 6 MB reaches no handler', async () => {
    const { lambda } = emulate(counting);
    const event = { body: 'x'.repeat(6 * 1024 * 1024) };
    await expect(lambda.invoke(event)).rejects.toMatchObject({ kind: 'event-too-large' });
    expect(lambda.counts.invocations).toBe(0);
  });

  test('a handler that throws keeps its environment, and the cause is in the log', async () => {
    const cause = new Error('no');
    const { lambda } = emulate(() => () => Promise.reject(cause));
    await expect(lambda.invoke({})).rejects.toMatchObject({ kind: 'failed', cause });
    expect([lambda.environments.length, lambda.errors[0]?.cause]).toEqual([1, cause]);
  });

  test('a composition that fails is an error and leaves nothing', async () => {
    const { lambda } = emulate(() => Promise.reject(new Error('no table')));
    await expect(lambda.invoke({})).rejects.toThrow('f: Error: no table');
    expect(lambda.environments).toHaveLength(0);
  });

  test('planned faults are met in order, once each', async () => {
    const { lambda } = emulate(counting);
    lambda.failNext({ kind: 'throw', when: 'after', error: new Error('late') });
    lambda.failNext({ kind: 'crash' });
    await expect(lambda.invoke({})).rejects.toThrow('late');
    await expect(lambda.invoke({})).rejects.toMatchObject({ kind: 'crashed' });
    expect(await lambda.invoke({})).toBe(1);
    expect([lambda.pendingFaults, lambda.counts.coldStarts]).toEqual([0, 2]);
  });

  test('a hanging invocation ends with its time, and its environment too', async () => {
    const { clock, lambda } = emulate(counting);
    lambda.failNext({ kind: 'hang' });
    const invoked = lambda.invoke({});
    await clock.timerOf(1000);
    clock.advance(1000);
    await expect(invoked).rejects.toMatchObject({ kind: 'timed-out' });
    expect([lambda.environments.length, clock.pending]).toEqual([0, 0]);
  });

  test('an environment that is retired at work fails its invocation, and runs nothing more', async () => {
    const { lambda } = emulate(counting);
    const hold = lambda.holdNext();
    const invoked = lambda.invoke({});
    await hold.arrived;
    const [environment] = lambda.environments;
    environment?.retire();
    await expect(invoked).rejects.toMatchObject({ kind: 'crashed' });
    hold.release();
    expect(await lambda.invoke({})).toBe(1);
    expect([environment?.invocations, lambda.environments.length]).toEqual([0, 1]);
  });

  test('the context tells how much time is left', async () => {
    const left: number[] = [];
    const { clock, lambda } = emulate(() => async (_event: unknown, context: LambdaContext) => {
      left.push(context.getRemainingTimeInMillis());
      clock.advance(400);
      left.push(context.getRemainingTimeInMillis());
    });
    await lambda.invoke({});
    expect(left).toEqual([1000, 600]);
  });

  test('timers of a frozen environment wait for its thaw', async () => {
    const ran: string[] = [];
    const { clock, lambda } = emulate(({ clock: own }: { clock: Clock }) => {
      own.after(50, () => ran.push('timer'));
      own.after(60, () => ran.push('cancelled')).cancel();
      return async () => ran.push('handler');
    });
    await lambda.invoke({});
    clock.advance(15 * 60_000);
    expect(ran).toEqual(['handler']);
    await lambda.invoke({});
    expect(ran).toEqual(['handler', 'timer', 'handler']);
  });

  test('what an environment owns is paused, resumed and terminated with it', async () => {
    const said: string[] = [];
    const thing = {
      pause: () => said.push('pause'),
      resume: () => said.push('resume'),
      terminate: () => said.push('terminate'),
    };
    const { lambda } = emulate((environment) => {
      environment.own(thing);
      return async () => said.push('handler');
    });
    await lambda.invoke({});
    await lambda.invoke({});
    lambda.retire();
    expect(said).toEqual(['handler', 'pause', 'resume', 'handler', 'pause', 'terminate']);
    await lambda.invoke({});
    expect(lambda.counts.coldStarts).toBe(2);
  });

  test('without freezing timers run between requests', async () => {
    let ran = false;
    const compose: Compose = ({ clock: own }) => {
      own.after(50, () => {
        ran = true;
      });
      return async () => undefined;
    };
    const { clock, lambda } = emulate(compose, { freezes: false });
    await lambda.invoke({});
    clock.advance(50);
    expect(ran).toBe(true);
  });
});
