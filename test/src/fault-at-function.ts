import type { InvocationFault } from '../../cloud/test/gateway/invocation-fault.ts';
import type { FaultWorld } from './fault-world.ts';
import { headOf } from './hand-device.ts';
import type { PlantedFault, Seen } from './planted-fault.ts';
import { until } from './until.ts';

const noChannel: Seen = {
  status: 503,
  code: 'channel-unavailable',
  stage: 'lookup',
  retryAfter: 1,
  retrySafe: true,
};
const late: Seen = { status: 504, code: 'deadline-exceeded', stage: 'deadline', retrySafe: false };

const isUndelivered = ({ msg }: Record<string, unknown>) => msg === 'reply channel gone or full';

/** A pull at a fresh environment: it dials at its start, and perhaps once more for the pull. */
async function coldPull(world: FaultWorld, pending: () => number): Promise<Response> {
  world.crashHttp();
  const answer = await world.pull('/bytes/9');
  const device = await world.addDevice(`spent-${crypto.randomUUID()}`);
  while (pending() > 0) await (await device.dial()).closed;
  return answer;
}

/** The dials of a channel meet `fault` at the function `name`. */
function coldPullWith(name: 'authorizer' | 'connect', fault: InvocationFault) {
  return (world: FaultWorld): Promise<Response> => {
    const lambda = world.aws.gateway.lambda(name);
    lambda.failNext(fault, 2);
    return coldPull(world, () => lambda.pendingFaults);
  };
}

export const faultsAtFunction: readonly PlantedFault[] = [
  {
    name: 'channel is dialled while the authorizer crashes',
    sees: noChannel,
    run: coldPullWith('authorizer', { kind: 'crash' }),
  },
  {
    name: 'channel is dialled while the authorizer throws',
    sees: noChannel,
    run: coldPullWith('authorizer', { kind: 'throw' }),
  },
  {
    name: 'channel is dialled while $connect crashes',
    sees: noChannel,
    run: coldPullWith('connect', { kind: 'crash' }),
  },
  {
    name: 'channel is dialled over the limit of new connections',
    sees: noChannel,
    run(world) {
      const { faults } = world.aws.gateway;
      faults.failUpgrade(429, 2);
      return coldPull(world, () => faults.pending);
    },
  },
  {
    name: 'frame meets a message function that throws, and whose caller does not wait',
    sees: late,
    async run(world) {
      world.aws.gateway.lambda('message').failNext({ kind: 'throw' });
      return world.pull('/bytes/9', { waitSeconds: 1 });
    },
  },
  {
    name: 'frame meets a message function that crashes: it is asked for again',
    sees: { status: 200, bytes: 5 },
    async run(world) {
      const agent = await (await world.addDevice('crash-1')).link();
      const answer = world.pull('/x', { device: 'crash-1' });
      const pull = await agent.next('pull');
      world.aws.gateway.lambda('message').failNext({ kind: 'crash' });
      agent.send(headOf(pull, 'first'));
      const { replyTo } = await agent.next('resend');
      agent.send(headOf({ ...pull, replyTo }, 'again'));
      return answer;
    },
  },
  {
    name: 'caller’s key is looked up in a table that is throttled',
    sees: {
      status: 503,
      code: 'registry-unavailable',
      stage: 'caller-auth',
      retryAfter: 2,
      retrySafe: true,
    },
    async run(world) {
      const key = await world.aws.addKey();
      world.aws.table.failure = 'ProvisionedThroughputExceededException';
      const answer = await world.pull('/bytes/9', { key });
      world.aws.table.failure = undefined;
      return answer;
    },
  },
  {
    name: 'device is looked up in a table that is throttled',
    sees: {
      status: 503,
      code: 'registry-unavailable',
      stage: 'lookup',
      retryAfter: 2,
      retrySafe: true,
    },
    async run(world) {
      await (await world.pull('/bytes/9')).text();
      await world.idle();
      world.aws.table.failure = 'ProvisionedThroughputExceededException';
      const answer = await world.pull('/x', { device: 'any-1' });
      world.aws.table.failure = undefined;
      return answer;
    },
  },
  {
    name: 'http function crashes in the middle',
    sees: { status: 502 }, // the service's own words
    async run(world) {
      const answer = world.pull('/held');
      const release = await world.held();
      world.crashHttp();
      await answer;
      release();
      return answer;
    },
  },
  {
    name: 'http function is frozen in the middle, its channel dead at the thaw',
    sees: { status: 200, bytes: 8 },
    async run(world) {
      const answer = world.pull('/held');
      const release = await world.held();
      const environment = world.aws.http.environments.find(({ idle }) => !idle);
      environment?.release();
      world.channels.at(-1)?.drop();
      const lost = world.aws.log.length;
      release();
      await until(() => world.aws.log.slice(lost).some(isUndelivered));
      environment?.occupy();
      return answer;
    },
  },
  {
    name: 'channel is lost in the middle',
    sees: { status: 200, bytes: 8 },
    async run(world) {
      const answer = world.pull('/held');
      const release = await world.held();
      world.channels.at(-1)?.drop();
      release();
      return answer;
    },
  },
  {
    name: 'channel is lost in the middle, and no other can be opened',
    sees: {
      status: 500,
      code: 'relay-error',
      stage: 'upstream',
      retryAfter: 1,
      retrySafe: false,
    },
    async run(world) {
      const answer = world.pull('/held');
      const release = await world.held();
      world.aws.gateway.faults.failUpgrade(429);
      world.channels.at(-1)?.drop();
      await answer;
      release();
      return answer;
    },
  },
];
