import type { KeyObject } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Clock, Subprotocol } from '@pullwire/shared';
import { signHandshakeToken } from '../identity/handshake-token.ts';
import { readTokenFile } from '../identity/token-file.ts';
import { LinkSocket } from '../link/link-socket.ts';
import { cleanRemark } from '../link/remark.ts';
import { TokenRefusals } from '../link/token-refusals.ts';
import type { Handshake } from './handshake.ts';
import type { Patient } from './patient.ts';

/**
 * The one subprotocol that is offered, whatever the configuration says. The one-box server takes it, and knows of no link
 * before its `hello`, which is never said: the agent's own link stays. A gateway carries text only, and answers 426 when
 * it has checked the token, and before it writes anything of a link, which would take the running one's place.
 */
const offered: readonly Subprotocol[] = ['pullwire.v1+bin'];

const limits = { handshakeMs: 15_000, closeMs: 2_000 };

/**
 * Dials as the agent does, with a token of its own, and says no `hello`. After a 401 it dials again as the agent would:
 * once for the time that it learnt, and once with the key that is not settled.
 *
 * @throws KeyError where an issuer's token cannot be read.
 */
export async function tryHandshake(patient: Patient): Promise<Handshake> {
  const { keys, relayClock } = patient;
  const refusals = new TokenRefusals();
  let signedBy: Handshake['signedBy'] = keys === undefined ? 'issuer' : 'key';
  for (;;) {
    const token = await tokenOf(patient, signedBy === 'next-key' ? keys?.next : keys?.current);
    const socket = dial(patient, token);
    const handshake = await outcomeOf(socket, signedBy, patient.clock);
    const movedMs = socket.heard && relayClock.learn(socket.heard);
    if (!isUnauthenticated(handshake.answer)) return handshake;
    const { dialAtOnce } = refusals.refused(movedMs);
    if (dialAtOnce) continue;
    // Once the relay has taken the next key, it takes no other: to try it changes nothing that was not so before.
    if (keys?.next === undefined || signedBy === 'next-key') return handshake;
    signedBy = 'next-key';
  }
}

const isUnauthenticated = (answer: Handshake['answer']): boolean =>
  answer !== 'open' && answer.cause === 'refused' && answer.status === 401;

function tokenOf({ config, deps, relayClock }: Patient, key: KeyObject | undefined) {
  const { device, instance, audience, tokenFile } = config;
  if (key === undefined) return readTokenFile(tokenFile ?? '');
  const claims = { device, instance, audience, jti: deps.newId(), now: relayClock.now() };
  return signHandshakeToken(key, claims);
}

function dial(patient: Patient, token: string): LinkSocket {
  const { config, secureContext, clock } = patient;
  return new LinkSocket(config.relay, offered, {
    headers: { authorization: `Bearer ${token}` },
    secureContext,
    tunnel: patient.tunnel(),
    clock,
    ...limits,
  });
}

async function outcomeOf(
  socket: LinkSocket,
  signedBy: Handshake['signedBy'],
  clock: Clock,
): Promise<Handshake> {
  let relay: string | undefined;
  socket.once('upgrade', ({ headers }: IncomingMessage) => {
    relay = cleanRemark([headers['pullwire-relay']].flat()[0]);
  });
  const opened = new Promise<'open'>((resolve) => socket.once('open', () => resolve('open')));
  const answer = await Promise.race([opened, socket.ended]);
  return {
    answer,
    remark: cleanRemark(socket.refusal?.detail),
    relay,
    answeredAfterMs: socket.heard?.roundTripMs,
    signedBy,
    ping: () => ping(socket, clock),
    close: async () => {
      socket.close(1000);
      await socket.ended;
    },
  };
}

async function ping(socket: LinkSocket, clock: Clock): Promise<number> {
  const began = clock.monotonic();
  const ponged = once(socket, 'pong').then(() => true);
  socket.ping();
  const came = await Promise.race([ponged, socket.ended.then(() => false)]);
  if (!came) throw new Error('the connection ended before its pong came');
  return clock.monotonic() - began;
}
