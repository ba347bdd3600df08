import { PullFault } from '@pullwire/shared';
import { beforeEach, expect, test } from 'vitest';
import { FakeExchange } from '../../test/fake-exchange.ts';
import type { Exchange, HttpAnswer } from './exchange.ts';
import { Front } from './front.ts';
import { jsonAnswer } from './problem.ts';

let enrol: (exchange: Exchange) => Promise<HttpAnswer>;
let mistakes: unknown[];
let front: Front;

beforeEach(() => {
  enrol = async () => jsonAnswer(201, { device: 'plant-7' });
  mistakes = [];
  const unasked = () => {
    throw new Error('not asked for');
  };
  front = new Front({
    pulls: { start: unasked },
    devices: { list: unasked, show: unasked, remove: unasked },
    readings: { list: unasked, latest: unasked },
    events: { open: unasked },
    queue: { show: unasked, result: unasked, cancel: unasked },
    enrolments: { enrol: (exchange) => enrol(exchange) },
    readiness: () => ({ ready: true }),
    failed: (error) => mistakes.push(error),
  });
});

/** Resolves when it is answered. */
async function ask(method: string): Promise<FakeExchange> {
  const exchange = new FakeExchange({ method, target: '/enroll' });
  const answered = new Promise<void>((resolve) => {
    const answer = exchange.answer.bind(exchange);
    exchange.answer = (whole) => {
      answer(whole);
      resolve();
    };
  });
  front.handle(exchange);
  await answered;
  return exchange;
}

test('POST /enroll is an enrolment', async () => {
  const { status, bodyText } = await ask('POST');
  expect([status, JSON.parse(bodyText)]).toEqual([201, { device: 'plant-7' }]);
});

test.each(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'])('%s /enroll is none', async (method) => {
  const { status, answerHeaders } = await ask(method);
  expect(status).toBe(405);
  expect(answerHeaders.join()).toContain('Allow,POST');
});

test('an enrolment that is refused is answered as a problem', async () => {
  enrol = async () => {
    throw new PullFault('enrolment-refused', 'caller-auth', { detail: 'no' });
  };
  const { status, problem } = await ask('POST');
  expect([status, problem.code, mistakes]).toEqual([401, 'enrolment-refused', []]);
});

test('a mistake of ours goes to the log, and its text to nobody else', async () => {
  enrol = async () => {
    throw new Error('hunter2');
  };
  const { status, bodyText } = await ask('POST');
  expect([status, mistakes.length]).toEqual([500, 1]);
  expect(bodyText).not.toContain('hunter2');
});
