import { type ByeRule, byeCodes, byeRule } from '@pullwire/shared';

/** What ended an attempt to link, or a link. */
export type LinkEnd =
  /** The relay answered the upgrade with another status than 101. */
  | {
      readonly cause: 'refused';
      readonly status: number;
      readonly retryAfterMs?: number;
      /** The answer says that it is the relay's own (`Pullwire-Answered-By`). */
      readonly byRelay?: true;
    }
  /** The proxy refused the tunnel: its status says nothing about the relay. */
  | { readonly cause: 'proxy-refused'; readonly status: number }
  /** No connection, no TLS, no answer in time. */
  | {
      readonly cause: 'unreachable';
      readonly reason: string;
      /** The date is outside the validity of a certificate. */
      readonly outsideDates?: true;
    }
  /** One of the two said `bye`. */
  | { readonly cause: 'bye'; readonly code: string }
  /** The WebSocket ended without `bye`. */
  | { readonly cause: 'closed'; readonly closeCode: number };

export interface RedialSettings {
  /** Upper bound of the first wait; it doubles with each attempt. */
  readonly baseMs: number;
  /** Upper bound of every wait. */
  readonly capMs: number;
  /** A link that was open this long makes the next failure the first one again. */
  readonly stableMs: number;
}

export interface RedialInput {
  readonly end: LinkEnd;
  /** How long the link was open; 0 where it never was. */
  readonly livedMs: number;
  /** Attempts that failed before this one since the last stable link. */
  readonly attempt: number;
  /** In [0, 1). */
  readonly random: number;
  /** Another dial at once may cure it (`TokenRefusals`). */
  readonly atOnce?: boolean;
}

export type Redial =
  /** `attempt` is what to pass in the next time. */
  | { readonly waitMs: number; readonly attempt: number }
  | { readonly final: string; readonly exitCode: number };

/** Exit code of a process that the relay told never to come back (sysexits.h, EX_NOPERM). */
const finalExitCode = 77;

/** No wait is shorter: a relay that accepts and drops at once must not be dialled in a tight loop. */
const floorMs = 100;
/** After an answer that taught what to do better: no longer than spreads a fleet. */
const soon = { fromMs: 50, toMs: 500 };
/** For ends that a redial alone will not cure; somebody has to change something. */
const rarely = { fromMs: 30_000, firstMs: 60_000, capMs: 300_000 };
/** A shorter `Retry-After` says nothing. */
const leastToldMs = 1_000;
/** Of the time that was told, this part comes on top, or the last of a fleet would come long after their turn. */
const toldSpread = 4;
/** A longer `Retry-After` is taken for a mistake. */
const retryAfterCapMs = 3_600_000;

/** PROTOCOL.md, "Handshake". */
const refusals: ReadonlyMap<number, ByeRule['redial']> = new Map([
  [400, 'rarely'],
  [401, 'rarely'],
  [403, 'final'],
  [404, 'rarely'],
  [426, 'rarely'],
]);

/** A close code of ours repeats a `bye` that was lost on the way; the registered ones say too little. */
const privateCloses: ReadonlyMap<number, ByeRule['redial']> = new Map(
  Object.values(byeCodes)
    .filter((rule) => rule.close >= 4_000)
    .map((rule) => [rule.close, rule.redial]),
);

/**
 * When to dial again after `input.end`, or never. Full jitter (AWS Architecture Blog, "Exponential Backoff And
 * Jitter"), so that a fleet which lost its relay does not come back at once.
 */
export function redial(input: RedialInput, settings: RedialSettings): Redial {
  const attempt = input.livedMs >= settings.stableMs ? 0 : input.attempt;
  switch (ruleOf(input.end)) {
    case 'final':
      return { final: describeEnd(input.end), exitCode: finalExitCode };
    case 'rarely':
      if (input.atOnce)
        return { waitMs: atLeastRetryAfter(input, soonWait(input.random)), attempt };
      return {
        waitMs: atLeastRetryAfter(input, rareWait(attempt, input.random)),
        attempt: attempt + 1,
      };
    case 'backoff': {
      const toldMs = toldOf(input.end);
      const ceiling =
        toldMs === undefined
          ? Math.min(settings.capMs, doubled(settings.baseMs, attempt))
          : Math.min(settings.capMs, Math.max(settings.baseMs, toldMs / toldSpread));
      const waitMs = floorMs + input.random * (Math.max(floorMs, ceiling) - floorMs);
      return {
        waitMs: atLeastRetryAfter(input, waitMs),
        attempt: toldMs === undefined ? attempt + 1 : attempt,
      };
    }
  }
}

/**
 * What a relay says that paces its fleet itself: it lives, so that nothing backs off from it, and what comes on top only
 * spreads those who were told the same. Less than a second is no pace: such a relay would be dialled in a loop.
 */
function toldOf(end: LinkEnd): number | undefined {
  const toldMs = end.cause === 'refused' ? end.retryAfterMs : undefined;
  return toldMs !== undefined && toldMs >= leastToldMs ? toldMs : undefined;
}

/** For people and logs: what ended it. */
export function describeEnd(end: LinkEnd): string {
  switch (end.cause) {
    case 'refused':
      return `the relay answered ${end.status}`;
    case 'proxy-refused':
      return `the proxy answered ${end.status}`;
    case 'unreachable':
      return end.reason;
    case 'bye':
      return `bye ${end.code}`;
    case 'closed':
      return `link lost (close code ${end.closeCode})`;
  }
}

function ruleOf(end: LinkEnd): ByeRule['redial'] {
  switch (end.cause) {
    case 'refused':
      return refusalRule(end.status, end.byRelay === true);
    case 'proxy-refused':
      // Proxy Authentication Required (RFC 9110 §15.5.8): somebody has to change the credentials.
      return end.status === 407 ? 'rarely' : 'backoff';
    case 'bye':
      return byeRule(end.code).redial;
    case 'closed':
      return privateCloses.get(end.closeCode) ?? 'backoff';
    case 'unreachable':
      // Somebody has to set a clock or renew a certificate.
      return end.outsideDates ? 'rarely' : 'backoff';
  }
}

/** Something in between, such as a captive portal, must not end a fleet for good: only the relay's own word does. */
function refusalRule(status: number, byRelay: boolean): ByeRule['redial'] {
  const rule = refusals.get(status) ?? 'backoff';
  return rule === 'final' && !byRelay ? 'rarely' : rule;
}

function soonWait(random: number): number {
  return soon.fromMs + random * (soon.toMs - soon.fromMs);
}

function rareWait(attempt: number, random: number): number {
  const ceiling = Math.min(rarely.capMs, doubled(rarely.firstMs, attempt));
  return rarely.fromMs + random * (ceiling - rarely.fromMs);
}

/** The jitter comes on top: whoever was told the same second must not come in the same second. */
function atLeastRetryAfter({ end }: RedialInput, waitMs: number): number {
  const retryAfterMs = end.cause === 'refused' ? (end.retryAfterMs ?? 0) : 0;
  return Math.round(Math.min(retryAfterCapMs, retryAfterMs) + waitMs);
}

/** Doubling stops at 2^20, long past every cap, before numbers lose their meaning. */
function doubled(ms: number, attempt: number): number {
  return ms * 2 ** Math.min(attempt, 20);
}
