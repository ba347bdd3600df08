import {
  type AgentDrain,
  type AgentMessage,
  type Clock,
  type HeartbeatTerms,
  type Hello,
  type Ignored,
  type KeepAlive,
  type Limits,
  type OfferedKey,
  protocolVersion,
  type Reading,
  type Timer,
} from '@pullwire/shared';
import type { Connection } from '../connection/connection.ts';
import type { ReplyDesk, StrayReason } from '../reply/reply-desk.ts';
import { type LinkDeed, type LinkEvent, type LinkState, linkStep } from './link-state.ts';
import type { MessageBudget } from './message-budget.ts';

/** Who dialled, by its handshake token. */
export interface LinkIdentity {
  readonly device: string;
  readonly instance: string;
}

export interface WelcomeTerms {
  readonly relay: string;
  readonly limits: Limits;
  readonly heartbeat: HeartbeatTerms;
  /** From its first `hello` on a link ends by then; absent: never. */
  readonly lifeMs?: number;
  readonly features: readonly string[];
}

/** Where a session says what becomes of its link. */
export interface SessionEvents {
  /** The first `hello`: pulls may come. */
  opened(hello: Hello): void;
  /** A repeated `hello`. */
  described(hello: Hello): void;
  draining(): void;
  /** The agent's next key. */
  offered(key: OfferedKey): void;
  /** False where so many batches wait already that this one is one too many: it is not stored. */
  reading(batch: Reading): boolean;
  closed(why: string): void;
  stray(reason: StrayReason, action: string): void;
  ignored(name: string): void;
}

export interface LinkSessionOptions {
  readonly identity: LinkIdentity;
  readonly connection: Connection;
  readonly replies: ReplyDesk;
  readonly clock: Clock;
  readonly terms: WelcomeTerms;
  readonly budget: MessageBudget;
  readonly events: SessionEvents;
}

const helloWithinMs = 10_000;

/** An offered key is read, proven and written: it counts for as many messages. */
const offerCost = 25;

/** A batch of readings that was not to be sent yet has up to 256 entries, which were read. */
const excessCost = 25;

/** What the relay does over the life of one link: greets, hands reply frames on, sees it end. */
export class LinkSession {
  readonly #options: LinkSessionOptions;
  readonly #sender: { readonly device: string; readonly connectionId: string };
  #state: LinkState = 'greeting';
  #helloTimer: Timer | undefined;
  #endOfLife: Timer | undefined;
  #openedAt = 0;

  constructor(options: LinkSessionOptions) {
    this.#options = options;
    this.#sender = {
      device: options.identity.device,
      connectionId: options.connection.connectionId,
    };
  }

  get state(): LinkState {
    return this.#state;
  }

  start(): void {
    this.#helloTimer = this.#options.clock.after(helloWithinMs, () =>
      this.#dismiss('silence', 'hello-timeout', `no hello within ${helloWithinMs} ms`),
    );
  }

  receive(message: AgentMessage | Ignored): void {
    const { does } = linkStep(this.#state, eventOf(message));
    if (this.#state === 'closed') return;
    if (does === 'refuse') return this.end('protocol-error', `${message.action} came before hello`);
    switch (message.action) {
      case 'hello':
        return this.#hello(message);
      case 'head':
      case 'body':
      case 'end':
      case 'fault':
      case 'credit':
      case 'upload':
      case 'complete':
      case 'probed':
        return this.#reply(message);
      case 'reading':
        return this.#reading(message);
      case 'bye':
        return this.#bye(message.code, message.reason);
      case 'drain':
      case 'keep-alive':
      case 'rotate':
      case 'ignored':
        if (this.#mayBeMore(message.action === 'rotate' ? offerCost : 1)) this.#aside(message);
    }
  }

  /** A ping or pong of the WebSocket layer. */
  pinged(): void {
    this.#mayBeMore();
  }

  /** Ends the link from this side, with a `bye`. */
  end(code: string, reason: string): void {
    this.#dismiss('end', code, reason);
  }

  /** The link has ended, however it came. */
  lost(why: string): void {
    if (this.#enter('lost') === 'note') this.#options.events.closed(why);
  }

  /** Moves on; what is to be done is the caller's. */
  #enter(event: LinkEvent): LinkDeed {
    const { state, does } = linkStep(this.#state, event);
    this.#state = state;
    if (state !== 'greeting') this.#helloTimer?.cancel();
    if (state === 'closed') this.#endOfLife?.cancel();
    return does;
  }

  #dismiss(event: 'silence' | 'flood' | 'end' | 'wrong-hello', code: string, reason: string): void {
    if (this.#enter(event) !== 'dismiss') return;
    this.#options.connection.close(code, reason);
    this.#options.events.closed(code);
  }

  #aside(message: AgentDrain | KeepAlive | OfferedKey | Ignored): void {
    switch (message.action) {
      case 'drain':
        return this.#drain();
      case 'keep-alive':
        return this.#options.connection.control({ action: 'kept-alive' });
      case 'rotate':
        return this.#options.events.offered(message);
      case 'ignored':
        return this.#options.events.ignored(message.name);
    }
  }

  /** Counts a message that no pull needs; ends the link where it is one too many. */
  #mayBeMore(messages = 1): boolean {
    if (this.#state === 'closed') return false;
    if (this.#options.budget.spend(messages)) return true;
    this.#dismiss('flood', 'too-many-messages', 'far more messages came than pulls need');
    return false;
  }

  #hello(hello: Hello): void {
    if (!this.#mayBeMore()) return;
    const { identity, events } = this.#options;
    if (hello.version !== protocolVersion) {
      const versions = `the agent speaks version ${hello.version}, this relay ${protocolVersion}`;
      return this.#dismiss('wrong-hello', 'unsupported-version', versions);
    }
    if (hello.device !== identity.device || hello.instance !== identity.instance) {
      const differs = 'the device or instance in hello is not that of the token';
      return this.#dismiss('wrong-hello', 'device-mismatch', differs);
    }
    const does = this.#enter('hello');
    if (does === 'open') this.#begin();
    this.#welcome();
    if (does === 'open') events.opened(hello);
    else events.described(hello);
  }

  #begin(): void {
    const { clock, terms } = this.#options;
    this.#openedAt = clock.monotonic();
    if (terms.lifeMs !== undefined) this.#endAfter(terms.lifeMs, false);
  }

  /** A link that has its successor gets as long again for pulls that are still under way. */
  #endAfter(lifeMs: number, isLast: boolean): void {
    this.#endOfLife = this.#options.clock.after(lifeMs, () => {
      if (this.#state === 'draining' && !isLast) this.#endAfter(lifeMs, true);
      else this.end('end-of-life', `a link lives for ${lifeMs} ms here (linkLifeMs)`);
    });
  }

  #welcome(): void {
    const { connection, terms, clock } = this.#options;
    const leftMs = (terms.lifeMs ?? 0) - (clock.monotonic() - this.#openedAt);
    connection.control({
      action: 'welcome',
      version: protocolVersion,
      relay: terms.relay,
      limits: { ...terms.limits, ...connection.limits },
      heartbeat: terms.heartbeat,
      ...(terms.lifeMs !== undefined && { endOfLifeMs: Math.max(1, Math.round(leftMs)) }),
      features: terms.features,
    });
  }

  #reply(message: Parameters<ReplyDesk['receive']>[0]): void {
    const reason = this.#options.replies.receive(message, this.#sender);
    if (reason !== undefined && this.#mayBeMore()) {
      this.#options.events.stray(reason, message.action);
    }
  }

  /** Work that the agent has to do, and no flood: the relay's own answers set its pace. */
  #reading(batch: Reading): void {
    if (!this.#options.events.reading(batch)) this.#mayBeMore(excessCost);
  }

  #drain(): void {
    if (this.#enter('drain') === 'drain') this.#options.events.draining();
  }

  #bye(code: string, reason: string | undefined): void {
    if (this.#enter('bye') !== 'let go') return;
    this.#options.connection.close(code, reason ?? '');
    this.#options.events.closed(code);
  }
}

/** Whether a hello is the right one shows when it is read. */
function eventOf({ action }: AgentMessage | Ignored): LinkEvent {
  switch (action) {
    case 'hello':
    case 'reading':
    case 'drain':
    case 'keep-alive':
    case 'rotate':
    case 'bye':
      return action;
    case 'ignored':
      return 'unknown';
    case 'head':
    case 'body':
    case 'end':
    case 'fault':
    case 'credit':
    case 'upload':
    case 'complete':
    case 'probed':
      return 'reply';
  }
}
