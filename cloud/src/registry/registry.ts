import type { SourceInfo, Subprotocol } from '@pullwire/shared';

/** A device that an operator made known. Times are milliseconds since the epoch. */
export interface DeviceRecord {
  readonly device: string;
  /**
   * `ed25519:` and base64url of the 32 bytes of the public key (RFC 8032 §5.1.5), or `issuer:` and the issuer whose
   * tokens speak for the device.
   */
  readonly publicKey: string;
  /** The key that takes the place of `publicKey` with the first handshake it signs; like it, `ed25519:…`. */
  readonly nextKey?: string;
  /** The operator wants another key, since this time. */
  readonly rotationAskedAt?: number;
  /** The device may not link any more, by the operator's word. */
  readonly revokedAt?: number;
  /** For people: why. */
  readonly revokedWhy?: string;
  /** Set by the operator; grants may ask for them. Those in a `LinkRecord` are only the agent's word. */
  readonly labels: Readonly<Record<string, string>>;
  readonly createdAt: number;
}

/** What an agent said about itself in its `hello`. */
export interface LinkDescription {
  /** Empty until the first `hello` of the link. */
  readonly agent: string;
  readonly sources: readonly SourceInfo[];
  readonly labels: Readonly<Record<string, string>>;
  readonly features: readonly string[];
  /** The run of links that it is in (PROTOCOL.md, "The next link"). */
  readonly run?: string;
}

/** The latest link of one instance of a device, open or closed. */
export interface LinkRecord extends LinkDescription {
  readonly device: string;
  readonly instance: string;
  readonly connectionId: string;
  /** Milliseconds since the epoch, by the host that accepted the link: the fence between links. */
  readonly connectedAt: number;
  readonly subprotocol: Subprotocol;
  /** Epoch *seconds*, as DynamoDB's TTL wants them: an open link is not believed after this. */
  readonly expiresAt?: number;
  /** The agent wants no new pulls on it (milliseconds). */
  readonly drainingAt?: number;
  /** When the first of the links opened that followed one another without a break; absent: this one did. */
  readonly upSince?: number;
  /** When this instance came back the last times, oldest first: as many as tell how restless it is. */
  readonly ups?: readonly number[];
  /**
   * The connection of the link that takes the pulls until this one has said `hello`, and is told then that it was
   * replaced. It stays with a link that ended without a `hello`, and goes when that connection drains or ends.
   */
  readonly replaces?: string;
  /** The `run` of that link: one of the same run is not told, since its agent ends it itself. */
  readonly replacesRun?: string;
  /** The link's last word: when it ended, and why. */
  readonly closedAt?: number;
  readonly closedWhy?: string;
}

/** What a caller may pull: every part must match. */
export interface Grant {
  /** Device ids, or globs such as `plant-*`. */
  readonly devices: readonly string[];
  /** Labels that the device must have, by the operator's word. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Source names or globs. */
  readonly sources: readonly string[];
  /** HTTP methods; `*` is any. */
  readonly methods: readonly string[];
  /** May also delete these devices. */
  readonly manage?: boolean;
  /** Epoch *seconds*: it grants nothing from then on. */
  readonly until?: number;
}

/** A caller's key; the key itself is nowhere. */
export interface KeyRecord {
  /** Names the key to people; it is part of the key. */
  readonly id: string;
  readonly name: string;
  /** SHA-256 of the whole key, base64url. */
  readonly hash: string;
  /** The beginning of the key, which is no secret: `pwk_` and the id. */
  readonly prefix: string;
  readonly grants: readonly Grant[];
  readonly createdAt: number;
  /** Epoch *seconds*, as DynamoDB's TTL wants them. */
  readonly expiresAt?: number;
  readonly revokedAt?: number;
  /** Written coarsely: the last use is up to an hour later. */
  readonly lastUsedAt?: number;
}

/** A single-use code with which a device brings its public key; the code itself is nowhere. */
export interface EnrolCodeRecord {
  /** Names the code to people; it is part of the code. */
  readonly id: string;
  /** SHA-256 of the whole code, base64url. */
  readonly hash: string;
  /** The only device that it is good for; absent: the device names itself, and must be new. */
  readonly device?: string;
  /** The device may be known already: its key is replaced, and a revocation lifted. Only with `device`. */
  readonly replaces?: boolean;
  /** What the device is labelled with, by the operator's word. */
  readonly labels: Readonly<Record<string, string>>;
  readonly createdAt: number;
  /** Epoch *seconds*, as DynamoDB's TTL wants them. */
  readonly expiresAt: number;
  /** Whose it became. */
  readonly spent?: EnrolCodeUse;
  /** The device is written: from then on the code writes nothing, not even for the same device again. */
  readonly doneAt?: number;
}

export interface EnrolCodeUse {
  readonly device: string;
  readonly publicKey: string;
  readonly at: number;
}

export interface Device {
  readonly record: DeviceRecord;
  /** The latest link of each instance, closed ones too, until they are swept. */
  readonly links: readonly LinkRecord[];
}

export interface PageRequest {
  /** The `next` of the page before. */
  readonly after?: string;
  /** Entries at most; at least 1. */
  readonly limit: number;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Absent on the last page. A page may be empty and yet not be the last. */
  readonly next?: string;
}

/**
 * Who is known, who is connected where, and who may ask. Reads by id are strong: they see every write that
 * was answered before. Lists may lag behind on AWS, by a moment. Every method may throw a `RegistryError`.
 * Consumers take the part they need: `Pick<Registry, 'keyByHash'>`.
 */
export interface Registry {
  /**
   * Creates the table where that is allowed, and checks that its schema is ours.
   * Throws `table-missing`, `wrong-table` or `newer-schema`, with a message that says what to do.
   */
  ensureSchema(): Promise<void>;

  /** The device alone: what a handshake needs, however many links the device has. */
  deviceRecord(id: string): Promise<DeviceRecord | undefined>;
  /** Many at once, in no order; those that are not known are missing. No id may be there twice. */
  deviceRecords(ids: readonly string[]): Promise<readonly DeviceRecord[]>;
  device(id: string): Promise<Device | undefined>;
  /** Pages of devices in the order of their ids. */
  devices(page: PageRequest): Promise<Page<Device>>;
  /**
   * Makes a device known. One that is known with the same key gets the labels, and keeps its `createdAt`.
   * Throws `conflict` where it has another key or was revoked.
   */
  addDevice(record: DeviceRecord): Promise<'added' | 'known'>;
  /** Makes a device known with this key and these labels, in place of whatever was known of it but its `createdAt`. */
  replaceDevice(record: DeviceRecord): Promise<'added' | 'known'>;
  /** Forgets the device and its links; false where it was not known. */
  removeDevice(id: string): Promise<boolean>;
  /** The device may not link any more; it stays known. False where it is unknown, or was revoked before. */
  revokeDevice(id: string, end: { readonly at: number; readonly why: string }): Promise<boolean>;
  /** Notes that the operator wants another key of the device; false where it is unknown or revoked. */
  askRotation(id: string, at: number): Promise<boolean>;
  /**
   * Notes the key that is to take the place of `currentKey`, and of a next one that was noted before. False where the
   * device has another key by now, is unknown or revoked.
   */
  offerKey(id: string, currentKey: string, nextKey: string): Promise<boolean>;
  /**
   * The next key was used: from now on it is the key, and what asked for a rotation is answered. Saying it twice is the
   * same as saying it once; false where the device has neither this key nor this next one, or was revoked.
   */
  promoteKey(id: string, nextKey: string): Promise<boolean>;
  /** Notes that a token opened a link. False where it did before; forgotten some time after `expiresAt` (seconds). */
  spendToken(device: string, tokenId: string, expiresAt: number): Promise<boolean>;

  /**
   * Records a link in place of an older one of the same device and instance. `older`: a newer link is there, or
   * this one has ended already. Saying it twice is the same as saying it once.
   */
  openLink(link: LinkRecord): Promise<'opened' | 'older'>;
  /**
   * Records a link while the instance's link is still as it was read (`before`; undefined: there was none). False where
   * it has changed since, or where an earlier attempt wrote this one already.
   */
  replaceLink(before: LinkRecord | undefined, link: LinkRecord): Promise<boolean>;
  /**
   * Records a `hello`; resolves with the instance's link as it is then, undefined where this one was replaced or has
   * ended. One that goes on serving until the newer link's own hello counts as not replaced, here and in the two below.
   */
  describeLink(
    device: string,
    instance: string,
    connectionId: string,
    hello: LinkDescription,
  ): Promise<LinkRecord | undefined>;
  /** The latest link of an instance, open or closed. */
  link(device: string, instance: string): Promise<LinkRecord | undefined>;
  /** Records that a link takes no new pulls (`at` in milliseconds); false where it was replaced or has ended. */
  drainLink(device: string, instance: string, connectionId: string, at: number): Promise<boolean>;
  /** Writes a link's last word (`at` in milliseconds); false where it was replaced or has had its last word. */
  closeLink(
    device: string,
    instance: string,
    connectionId: string,
    end: { readonly at: number; readonly why: string },
  ): Promise<boolean>;

  keyByHash(hash: string): Promise<KeyRecord | undefined>;
  /** Pages of keys in the order of their ids, revoked and expired ones too. */
  keys(page: PageRequest): Promise<Page<KeyRecord>>;
  /** Throws `conflict` where the id is taken. */
  addKey(record: KeyRecord): Promise<void>;
  /** False where no such key is in force. `at` in milliseconds. */
  revokeKey(id: string, at: number): Promise<boolean>;
  /** Gives the key these grants in place of `before`; false where it has others by now, or is not in force. */
  changeGrants(id: string, before: readonly Grant[], grants: readonly Grant[]): Promise<boolean>;
  /** Notes that the key was used (`at` in milliseconds); an earlier use changes nothing. */
  noteKeyUse(hash: string, at: number): Promise<void>;

  /** Throws `conflict` where the id is taken. */
  addEnrolCode(record: EnrolCodeRecord): Promise<void>;
  enrolCodeByHash(hash: string): Promise<EnrolCodeRecord | undefined>;
  /** Pages of codes in the order of their ids, spent and expired ones too, until they are swept. */
  enrolCodes(page: PageRequest): Promise<Page<EnrolCodeRecord>>;
  /** Spends the code for this device and key, in one conditional write; false where it is unknown, spent or expired. */
  spendEnrolCode(hash: string, use: EnrolCodeUse): Promise<boolean>;
  /** The device of a spent code is written. */
  finishEnrolCode(hash: string, at: number): Promise<void>;
  /** Forgets a code that nobody has spent; false where there is none. */
  removeEnrolCode(id: string): Promise<boolean>;

  /**
   * Removes links that ended before `closedBefore` (milliseconds), open ones that expired before it, and keys,
   * enrolment codes and spent tokens that expired before it; queued pulls and replies that were to be kept until before
   * `keptBefore`; at most `limit`. Returns how many.
   */
  sweep(request: {
    readonly closedBefore: number;
    readonly keptBefore?: number;
    readonly limit: number;
  }): Promise<number>;
}
