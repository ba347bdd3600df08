import type { KeyObject } from 'node:crypto';
import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Logger } from 'pino';
import {
  generateDeviceKey,
  KeyError,
  publicKeyText,
  readDeviceKey,
  writeDeviceKey,
} from './device-key.ts';
import { exists } from './exists.ts';
import { type HandshakeClaims, signHandshakeToken } from './handshake-token.ts';
import { signKeyProof } from './key-proof.ts';

interface RingKey {
  readonly key: KeyObject;
  readonly publicKey: string;
}

/**
 * The device's key in its file, and while it changes, the next one in `<file>.next`. Wherever the process dies, one of
 * the two files holds the key that the relay knows: the next key is on disk before the relay hears of it, it replaces
 * the current one only after the relay took a token signed with it, and by a rename. After a start with both files, it is
 * the relay's answers that tell which one is good.
 */
export class KeyRing {
  readonly #path: string;
  readonly #nextPath: string;
  readonly #logger: Logger;
  #current: RingKey | undefined;
  #next: RingKey | undefined;
  /** Which of the two signs. */
  #usesNext = false;
  /** Which one signed the last token. */
  #signer: RingKey | undefined;
  #settling: Promise<void> = Promise.resolve();

  constructor(path: string, logger: Logger) {
    this.#path = path;
    this.#nextPath = `${path}.next`;
    this.#logger = logger;
  }

  /**
   * Reads both files. A next key that cannot be used is reported and left where it is: it may be the one that the relay
   * knows.
   *
   * @throws KeyError where the current key is missing, no Ed25519 key, or readable by others than its owner.
   */
  async start(): Promise<void> {
    this.#current = ringKey(await readDeviceKey(this.#path));
    this.#next = await this.#readNext();
    if (this.#next === undefined) return;
    const { publicKey } = this.#next;
    this.#logger.info({ publicKey }, 'the device has a next key that was not settled yet');
  }

  /** Of the key that signs now: `ed25519:` and base64url of the 32 bytes. */
  get publicKey(): string {
    return this.#signing().publicKey;
  }

  /** Whether there is a key that shall follow this one, and is not settled yet. */
  get isChanging(): boolean {
    return this.#next !== undefined;
  }

  /**
   * A token for one handshake, with the key to use now.
   *
   * @throws RangeError as `signHandshakeToken` does.
   */
  sign(claims: HandshakeClaims): Promise<string> {
    this.#signer = this.#signing();
    return signHandshakeToken(this.#signer.key, claims);
  }

  /**
   * The key that shall follow, with its proof for a rotation of `device` (PROTOCOL.md, "Proof of a key"). One that was
   * made before and is not settled is offered again.
   *
   * @throws KeyError where it cannot be written, or `<file>.next` holds something else.
   */
  async next(device: string): Promise<{ readonly publicKey: string; readonly proof: string }> {
    await this.#settling;
    this.#next ??= await this.#makeNext();
    const { key, publicKey } = this.#next;
    return { publicKey, proof: await signKeyProof(key, `rotate:${device}`) };
  }

  /** The relay has noted this key: it signs from now on. Another one than was offered changes nothing. */
  confirmed(publicKey: string): void {
    if (this.#next?.publicKey === publicKey) this.#usesNext = true;
  }

  /** The relay took the last token: a next key that signed it becomes the current one. Never rejects. */
  linked(): Promise<void> {
    const signer = this.#signer;
    this.#usesNext = signer !== undefined && signer === this.#next;
    if (this.#usesNext && signer !== undefined) this.#settling = this.#settle(signer);
    return this.#settling;
  }

  /** The relay did not take the last token: where there are two keys, the other one signs the next token. */
  refused(): void {
    this.#usesNext = this.#next !== undefined && this.#signer !== this.#next;
  }

  #signing(): RingKey {
    const key = this.#usesNext ? this.#next : this.#current;
    if (key === undefined) throw new Error('the key ring was not started');
    return key;
  }

  async #settle(next: RingKey): Promise<void> {
    try {
      await this.#replaceCurrent(next);
    } catch (error) {
      // What signs is right already; the files stay as they are, and both are tried at the next start.
      return this.#logger.error(
        { err: error },
        'the new key could not replace the old one on disk',
      );
    }
    this.#current = next;
    this.#next = undefined;
    this.#usesNext = false;
    this.#logger.info({ publicKey: next.publicKey }, 'the device has a new key');
  }

  async #replaceCurrent(next: RingKey): Promise<void> {
    // Somebody may have tidied the file away, and it would be the only copy.
    if (!(await exists(this.#nextPath))) await writeDeviceKey(this.#nextPath, next.key);
    await rename(this.#nextPath, this.#path);
    await syncFolder(this.#path);
  }

  async #makeNext(): Promise<RingKey> {
    const made = ringKey(await generateDeviceKey());
    await writeDeviceKey(this.#nextPath, made.key);
    await syncFolder(this.#nextPath);
    return made;
  }

  async #readNext(): Promise<RingKey | undefined> {
    if (!(await exists(this.#nextPath))) return undefined;
    try {
      return ringKey(await readDeviceKey(this.#nextPath));
    } catch (error) {
      if (!(error instanceof KeyError)) throw error;
      this.#logger.error(
        { problem: error.message },
        'the next key cannot be used and is left alone',
      );
      return undefined;
    }
  }
}

function ringKey(key: KeyObject): RingKey {
  return { key, publicKey: publicKeyText(key) };
}

/** A file's name is in its folder, which has to reach the disk too. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
