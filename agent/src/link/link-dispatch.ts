import {
  type Bye,
  type Held,
  type Ignored,
  type Probe,
  type RelayDrain,
  type RelayMessage,
  type Rotated,
  type Stored,
  type Welcome,
  WireError,
} from '@pullwire/shared';
import type { PullMessage } from '../pull/pull-link.ts';

/** What a link does about each kind of message. */
export interface RelayHandlers {
  welcome(welcome: Welcome): void;
  pull(message: PullMessage): void;
  drain(drain: RelayDrain): void;
  bye(bye: Bye): void;
  probe(probe: Probe): void;
  rotate(): void;
  rotated(rotated: Rotated): void;
  stored(stored: Stored): void;
  held(held: Held): void;
  keptAlive(): void;
  ignored(name: string): void;
}

/**
 * One call for each message of the relay.
 *
 * @throws WireError where it comes before `welcome` and must not (PROTOCOL.md, "States of a link").
 */
export function dispatch(
  message: RelayMessage | Ignored,
  greeted: boolean,
  handlers: RelayHandlers,
): void {
  switch (message.action) {
    case 'welcome':
      return handlers.welcome(message);
    case 'bye':
      return handlers.bye(message);
    case 'ignored':
      return handlers.ignored(message.name);
    case 'pull':
    case 'body':
    case 'end':
    case 'credit':
    case 'cancel':
    case 'resend':
    case 'put':
      mustBeGreeted(message.action, greeted);
      return handlers.pull(message);
    case 'drain':
      mustBeGreeted(message.action, greeted);
      return handlers.drain(message);
    case 'probe':
      mustBeGreeted(message.action, greeted);
      return handlers.probe(message);
    case 'rotate':
      mustBeGreeted(message.action, greeted);
      return handlers.rotate();
    case 'rotated':
      mustBeGreeted(message.action, greeted);
      return handlers.rotated(message);
    case 'stored':
      mustBeGreeted(message.action, greeted);
      return handlers.stored(message);
    case 'held':
      mustBeGreeted(message.action, greeted);
      return handlers.held(message);
    case 'kept-alive':
      mustBeGreeted(message.action, greeted);
      return handlers.keptAlive();
  }
}

function mustBeGreeted(action: string, greeted: boolean): void {
  if (!greeted) throw new WireError('protocol-error', `${action}: expected welcome first`);
}
