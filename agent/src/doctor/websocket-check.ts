import { describeEnd, type LinkEnd } from '../link/redial-policy.ts';
import type { Check, Finding } from './check.ts';
import type { Handshake } from './handshake.ts';
import type { Patient } from './patient.ts';
import { tryHandshake } from './try-handshake.ts';

/** The agent's handshake: whether the relay itself answers it. What it says of the token is the next check's. */
export const websocketCheck: Check = {
  component: 'websocket',
  needs: ['tls', 'tunnel', 'tcp', 'dns', 'key', 'config'],
  limitMs: 60_000,
  target: (patient) => (patient.hasConfig ? patient.config.relay : 'relay'),
  run: async (patient) => {
    const handshake = await tryHandshake(patient);
    patient.tried(handshake);
    return [judged(patient, handshake)];
  },
};

function judged(patient: Patient, { answer, remark }: Handshake): Finding {
  const target = patient.config.relay;
  if (answer === 'open') return { target, state: 'ok', details: 'upgraded (101)' };
  const said = remark === undefined ? '' : `: "${remark}"`;
  const details = `${describeEnd(answer)}${said}`;
  if (answer.cause !== 'refused') {
    const advice = 'something on the way ends WebSockets: have upgrades allowed to this address';
    return { target, state: 'failed', details, advice };
  }
  const { status } = answer;
  if (isOfTheToken(answer))
    return { target, state: 'ok', details: `answered by the relay (${status})` };
  const isBusy = status === 429 || status === 503;
  const advice = adviceFor(answer, target);
  return { target, state: isBusy ? 'warning' : 'failed', details, advice };
}

/** The upgrade came through, and what was answered is a word on the token; 426 is a gateway's, which took it. */
function isOfTheToken(answer: LinkEnd): boolean {
  if (answer.cause !== 'refused') return false;
  return [401, 403].includes(answer.status) || isTakenByGateway(answer);
}

/** An API gateway checks the token before it looks at what is offered, and says nothing of who answers (docs/hosts.md). */
export function isTakenByGateway(answer: LinkEnd): boolean {
  return answer.cause === 'refused' && answer.status === 426 && answer.byRelay !== true;
}

function adviceFor(answer: LinkEnd & { cause: 'refused' }, target: string): string {
  const { status, byRelay } = answer;
  if (status === 429 || status === 503) {
    return 'the relay turns agents away for now; the agent comes again by itself. Where it lasts, its operator finds the reason in its log';
  }
  if (status === 426) {
    return 'the relay saw no upgrade: a proxy on the way drops the headers Upgrade and Connection; have WebSockets allowed there';
  }
  if (byRelay === true && (status === 400 || status === 404)) {
    return `compare the path of ${target} with what the relay's operator says; usual is /link`;
  }
  if (status >= 500) {
    return 'something before the relay answers for it: the relay is down, or the load balancer does not find it';
  }
  return 'something before the relay answers in its place (a proxy, a login page, another server): compare the address, and have WebSockets allowed';
}
