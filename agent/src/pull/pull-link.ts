import type {
  AgentMessage,
  Cancel,
  FrameLimits,
  Head,
  Pull,
  Put,
  RelayCredit,
  ReplyBody,
  ReplyEnd,
  RequestBody,
  RequestEnd,
  Resend,
  Subprotocol,
} from '@pullwire/shared';

/** The relay's messages about pulls, as a link hands them on. */
export type PullMessage = Pull | RequestBody | RequestEnd | RelayCredit | Cancel | Resend | Put;

/** What the relay announced that it can do with replies (PROTOCOL.md, "Features"). */
export interface LinkFeatures {
  readonly resend: boolean;
  readonly upload: boolean;
}

/** One open link, as pulls see it: the way back. After the link is lost, calls do nothing. */
export interface PullLink {
  readonly subprotocol: Subprotocol;
  readonly limits: FrameLimits;
  readonly features: LinkFeatures;
  /** How many bytes of body fit into the frame of this head. */
  bodyRoom(head: Head): number;
  /** Overtakes data. */
  control(message: AgentMessage): void;
  /**
   * Queues a frame of a pull's reply behind the other frames of this pull, in turn with other pulls.
   * Returns false where the pull should hold its source until `PullReceiver.room(pullId)`.
   */
  data(pullId: string, message: Head | ReplyBody | ReplyEnd, bytes: number): boolean;
  /** Drops what is still queued for the pull. */
  forget(pullId: string): void;
}

/** What a link tells the pulls. */
export interface PullReceiver {
  receive(message: PullMessage, link: PullLink): void;
  /** The queue has room again for this pull. */
  room(pullId: string): void;
  /** Every pull of this link ends; nothing can be sent for them. */
  lost(link: PullLink): void;
  /** New pulls are refused from now on; resolves when the last one under way has ended. */
  drain(): Promise<void>;
  readonly inFlight: number;
  /** Of `inFlight`, those that came over this link. */
  inFlightOn(link: PullLink): number;
}
