import type { FaultWorld } from './fault-world.ts';

/** What a caller sees. Fields that the answer has not are undefined. */
export interface Seen {
  /** `broken`: the transfer broke off after its head. */
  readonly status: number | 'broken';
  readonly code?: string;
  readonly stage?: string;
  /** Seconds. */
  readonly retryAfter?: number;
  readonly retrySafe?: boolean;
  /** Bytes of an upstream's reply. */
  readonly bytes?: number;
}

export interface PlantedFault {
  /** Goes on from "a pull whose …". */
  readonly name: string;
  readonly sees: Seen;
  /** Plants the fault and pulls. */
  run(world: FaultWorld): Promise<Response>;
}

/** Reads an answer to its end. */
export async function seen(answer: Response): Promise<Seen> {
  const body = await answer.arrayBuffer().catch(() => undefined);
  if (body === undefined) return { status: 'broken' };
  const { status, headers } = answer;
  if (headers.get('pullwire-answered-by') === 'upstream') return { status, bytes: body.byteLength };
  if (headers.get('content-type') !== 'application/problem+json') return { status };
  const { code, stage, retrySafe } = JSON.parse(Buffer.from(body).toString()) as Required<Seen>;
  const retryAfter = headers.get('retry-after');
  const hint = retryAfter === null ? undefined : { retryAfter: Number(retryAfter) };
  return { status, code, stage, retrySafe, ...hint };
}
