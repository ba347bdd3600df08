const dayMs = 86_400_000;

/** What a link's bytes are wrapped in. */
export interface WireKind {
  /** As Node names it; undefined: no TLS. */
  readonly tls: string | undefined;
  readonly ipv6: boolean;
}

/** A record's header, content type and tag with the ciphers in use (RFC 8446 §5.2; RFC 5246 §6.2.3.3 with AES-GCM). */
const recordBytes = { 'TLSv1.3': 22, other: 29 };
/** The question, the answer that carries its acknowledgement, and the acknowledgement of the answer. */
const packets = 3;
/** TCP's header with time stamps (RFC 9293 §3.1, RFC 7323 §3.2), and IP's. */
const tcpBytes = 32;
const ipBytes = { v4: 20, v6: 40 };

/**
 * What keep-alives cost on the wire: their bytes are counted, those of TLS, TCP and IP around them are known. What a link
 * below IP adds (Ethernet, a modem) is not in it, and what is sent again after a loss is neither.
 */
export class KeepAliveCost {
  #exchangeBytes: number | undefined;
  #spentBytes = 0;

  /** One question and its answer, wrapped; undefined: none was counted yet. */
  get exchangeBytes(): number | undefined {
    return this.#exchangeBytes;
  }

  /** All exchanges so far, each with what one costs. */
  get spentBytes(): number {
    return this.#spentBytes;
  }

  /** An exchange took place. */
  spend(bytes: number, wire: WireKind): void {
    const wrapped = bytes + overhead(wire);
    this.#spentBytes += Math.min(wrapped, this.#exchangeBytes ?? wrapped);
  }

  /** An exchange was counted. The least is what one costs: a pull may have come in between. */
  count(bytes: number, wire: WireKind): void {
    const wrapped = bytes + overhead(wire);
    this.#exchangeBytes = Math.min(wrapped, this.#exchangeBytes ?? wrapped);
  }

  /** At an exchange each `intervalMs`. */
  bytesADay(intervalMs: number): number | undefined {
    if (this.#exchangeBytes === undefined) return undefined;
    return Math.ceil((this.#exchangeBytes * dayMs) / intervalMs);
  }

  /** The shortest interval whose exchanges fit into `dailyBytes`. */
  intervalFor(dailyBytes: number): number | undefined {
    if (this.#exchangeBytes === undefined) return undefined;
    return Math.ceil((this.#exchangeBytes * dayMs) / dailyBytes);
  }
}

function overhead({ tls, ipv6 }: WireKind): number {
  const record = tls === undefined ? 0 : recordBytes[tls === 'TLSv1.3' ? tls : 'other'];
  return 2 * record + packets * (tcpBytes + (ipv6 ? ipBytes.v6 : ipBytes.v4));
}
