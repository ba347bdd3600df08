import { headOf } from './hand-device.ts';
import type { PlantedFault } from './planted-fault.ts';

export const faultsAtDevice: readonly PlantedFault[] = [
  {
    name: 'device has a clock that is an hour ahead',
    sees: {
      status: 503,
      code: 'device-offline',
      stage: 'lookup',
      retryAfter: 5,
      retrySafe: true,
    },
    async run(world) {
      const device = await world.addDevice('ahead-1');
      const { status } = await (await device.dial({ aheadMs: 3_600_000 })).closed;
      const refused = world.aws.log.findLast(({ msg }) => msg === 'link refused');
      if (status !== 401 || !/clock/.test(String(refused?.['detail']))) {
        throw new Error(`${status}: the log does not speak of the clock`);
      }
      return world.pull('/x', { device: 'ahead-1' });
    },
  },
  {
    name: 'agent is killed before its reply',
    sees: { status: 502, code: 'link-lost', stage: 'send', retryAfter: 1, retrySafe: false },
    async run(world) {
      const agent = await (await world.addDevice('killed-1')).link();
      const answer = world.pull('/x', { device: 'killed-1' });
      await agent.next('pull');
      agent.terminate();
      return answer;
    },
  },
  {
    name: 'agent is killed in its reply',
    sees: { status: 502, code: 'link-lost', stage: 'upstream', retryAfter: 1, retrySafe: false },
    async run(world) {
      const agent = await (await world.addDevice('killed-2')).link();
      const answer = world.pull('/x', { device: 'killed-2' });
      const head = headOf(await agent.next('pull'), 'half');
      agent.send({ ...head, headers: ['Content-Length', '8'], end: false });
      agent.send({ action: 'keep-alive' });
      await agent.next('kept-alive');
      await world.aws.gateway.settled(); // the half is on its way to the caller's function
      agent.terminate();
      return answer;
    },
  },
  {
    name: 'agent’s link is cut without a word',
    sees: { status: 504, code: 'deadline-exceeded', stage: 'deadline', retrySafe: false },
    async run(world) {
      const device = await world.addDevice('cut-1');
      await device.link();
      const link = world.agents.at(-1);
      if (link !== undefined) world.aws.gateway.cut(link.id);
      const answer = await world.pull('/x', { device: 'cut-1', waitSeconds: 1 });
      await world.idle();
      // Its next link ends the dead one: pulls come through again.
      const next = await device.link();
      await world.idle();
      const again = world.pull('/x', { device: 'cut-1' });
      next.send(headOf(await next.next('pull'), 'back'));
      if ((await (await again).text()) !== 'back') throw new Error('the next link has no pulls');
      return answer;
    },
  },
  {
    name: 'agent answers twice',
    sees: { status: 200, bytes: 5 },
    async run(world) {
      const agent = await (await world.addDevice('twice-1')).link();
      const answer = world.pull('/x', { device: 'twice-1' });
      const pull = await agent.next('pull');
      agent.send(headOf(pull, 'first'));
      agent.send(headOf(pull, 'the second'));
      return answer;
    },
  },
  {
    name: 'agent sends late frames of an earlier one',
    sees: { status: 200, bytes: 5 },
    async run(world) {
      const agent = await (await world.addDevice('late-1')).link();
      const early = world.pull('/x', { device: 'late-1', waitSeconds: 1 });
      const first = await agent.next('pull');
      if ((await early).status !== 504) throw new Error('the first pull has no deadline');
      await world.idle();
      const answer = world.pull('/x', { device: 'late-1' });
      const second = await agent.next('pull');
      agent.send(headOf(first, 'too late'));
      await world.aws.logged('reply frame dropped');
      agent.send(headOf(second, 'right'));
      return answer;
    },
  },
];
