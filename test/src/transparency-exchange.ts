import type { Origin, OriginRequest } from './origin.ts';
import { RawConnection, type RawHead, type RawReply, type RawTarget } from './raw-http.ts';
import {
  bodyBytes,
  interimBytes,
  type ReplyData,
  type RequestData,
  replyBytes,
  requestHead,
  type TransparencyCase,
} from './transparency-case.ts';
import type { Observation, SeenRequest } from './transparency-difference.ts';

/** One way to the origin. */
export interface Way extends RawTarget {
  /** What stands before the target. */
  readonly prefix: string;
  /** Credentials and the like, as field lines. */
  readonly headers: readonly string[];
}

/** Plays one case, as its caller, on a connection of its own, and as its origin. */
export async function play(
  { request, reply }: TransparencyCase,
  way: Way,
  origin: Origin,
): Promise<Observation> {
  const connection = await RawConnection.open(way);
  let seen: Promise<SeenRequest> | undefined;
  void origin.next().then((asked) => {
    seen = answer(asked, reply ?? {});
  });
  try {
    const received = await ask(connection, request, way);
    return { reply: received, seen: await seen };
  } finally {
    origin.forget();
    connection.close();
  }
}

async function ask(connection: RawConnection, request: RequestData, way: Way): Promise<RawReply> {
  const { method = 'GET', headers = [] } = request;
  const host = `Host: 127.0.0.1:${way.port}`;
  const head = requestHead(request, way.prefix, [host, ...way.headers]);
  const body = bodyBytes(request.body);
  if (headers.includes('Expect: 100-continue')) {
    await connection.send(head);
    return connection.reply(method, () => connection.send(body));
  }
  const sent = connection.send(Buffer.concat([head, body]));
  const reply = await connection.reply(method);
  await sent;
  return reply;
}

async function answer(request: OriginRequest, data: ReplyData): Promise<SeenRequest> {
  request.send(interimBytes(data));
  const collected = data.early ? undefined : await request.body.collect();
  request.send(replyBytes(data));
  if (data.reset) request.reset();
  else request.finish({ close: data.close || data.early || isLast(request) });
  const { start, headers, body } = request;
  return { start, headers, body, collected };
}

/** Whether the caller of an HTTP/1.0 origin waits for the end of the connection. */
const isLast = ({ start }: RawHead): boolean => start.endsWith('HTTP/1.0');
