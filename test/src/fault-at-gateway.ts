import type { ManagementCall } from '../../cloud/test/gateway/fault-plan.ts';
import type { FaultWorld } from './fault-world.ts';
import { headOf } from './hand-device.ts';
import type { PlantedFault, Seen } from './planted-fault.ts';

/** Posts of a frame with this action and number. */
function frame(action: string, seq = 0) {
  return ({ method, text }: ManagementCall): boolean => {
    if (method !== 'POST') return false;
    const fields = JSON.parse(text) as { action?: string; seq?: number };
    return fields.action === action && fields.seq === seq;
  };
}

const linkLost: Seen = {
  status: 502,
  code: 'link-lost',
  stage: 'send',
  retryAfter: 1,
  retrySafe: false,
};

/** The `$disconnect` of `agent` is lost, as it may be. */
async function vanish(world: FaultWorld, agent: { terminate(): void }): Promise<void> {
  const { gateway } = world.aws;
  gateway.lambda('disconnect').failNext({ kind: 'crash' });
  const done = new Promise((resolve) => gateway.events.once('disconnected', resolve));
  agent.terminate();
  await done;
}

export const faultsAtGateway: readonly PlantedFault[] = [
  {
    name: 'post to the agent is answered 429',
    sees: { ...linkLost, status: 503, code: 'link-full', retrySafe: true },
    run(world) {
      world.aws.gateway.faults.failCall({ status: 429, when: frame('pull') });
      return world.pull('/bytes/9');
    },
  },
  {
    name: 'post to the agent is answered 500',
    sees: linkLost,
    run(world) {
      world.aws.gateway.faults.failCall({ status: 500, when: frame('pull') });
      return world.pull('/bytes/9');
    },
  },
  {
    name: 'post to the agent breaks off',
    sees: linkLost,
    run(world) {
      world.aws.gateway.faults.failCall({ status: 0, when: frame('pull') });
      return world.pull('/bytes/9');
    },
  },
  {
    name: 'post to the agent is carried out, and its answer lost',
    sees: linkLost,
    run(world) {
      world.aws.gateway.faults.failCall({ status: 0, carriedOut: true, when: frame('pull') });
      return world.pull('/bytes/9');
    },
  },
  {
    name: 'agent is gone, which nobody has told',
    sees: { ...linkLost, status: 503, code: 'device-offline', retryAfter: 5, retrySafe: true },
    async run(world) {
      const agent = await (await world.addDevice('gone-1')).link();
      await vanish(world, agent);
      return world.pull('/x', { device: 'gone-1' });
    },
  },
  {
    name: 'agent has a newer link than the relay remembers',
    sees: { status: 200, bytes: 5 },
    async run(world) {
      const device = await world.addDevice('moved-1');
      const older = await device.link();
      const first = world.pull('/x', { device: 'moved-1' });
      older.send(headOf(await older.next('pull'), 'older'));
      await (await first).text();
      await world.idle();
      const newer = await device.link();
      await older.closed;
      const answer = world.pull('/x', { device: 'moved-1' });
      newer.send(headOf(await newer.next('pull'), 'newer'));
      return answer;
    },
  },
  {
    name: 'reply meets a 410 in the middle',
    sees: { status: 200, bytes: 80_000 },
    run(world) {
      world.aws.gateway.faults.failCall({ status: 410, when: frame('body', 1) });
      return world.pull('/bytes/80000');
    },
  },
  {
    name: 'reply meets a 429',
    sees: { status: 200, bytes: 9 },
    run(world) {
      world.aws.gateway.faults.failCall({ status: 429, when: frame('head') });
      return world.pull('/bytes/9');
    },
  },
  {
    name: 'reply meets a 429, and whose caller does not wait',
    sees: { status: 504, code: 'deadline-exceeded', stage: 'deadline', retrySafe: false },
    run(world) {
      world.aws.gateway.faults.failCall({ status: 429, when: frame('head') });
      return world.pull('/bytes/9', { waitSeconds: 1 });
    },
  },
  {
    name: 'reply is delivered, and the gateway’s word of it lost',
    sees: { status: 200, bytes: 80_000 },
    run(world) {
      world.aws.gateway.faults.failCall({ status: 0, carriedOut: true, when: frame('body', 2) });
      return world.pull('/bytes/80000');
    },
  },
];
