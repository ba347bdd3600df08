import type { ServerResponse } from 'node:http';

/** The requests that the engine has in hand. What LevelDB throws does not say whose it was. */
export class EngineAnswers {
  readonly #open = new Set<(why: string) => void>();

  add(response: ServerResponse): void {
    const fail = failer(response);
    this.#open.add(fail);
    response.once('close', () => this.#open.delete(fail));
  }

  /** Answers all of them that it failed; what becomes of them after that is nobody's. */
  failAll(why: string): void {
    for (const fail of this.#open) fail(why);
    this.#open.clear();
  }
}

/** Answers one request as DynamoDB says that it failed itself (DynamoDB Developer Guide, "Error handling"). */
export function failAnswer(response: ServerResponse, why: string): void {
  failer(response)(why);
}

/** The response's own methods, before anybody puts others in their place. */
function failer(response: ServerResponse): (why: string) => void {
  const end = response.end.bind(response);
  return (why) => {
    if (response.headersSent) return;
    const body = JSON.stringify({
      __type: 'com.amazonaws.dynamodb.v20120810#InternalServerError',
      message: why,
    });
    response.statusCode = 500;
    response.setHeader('Content-Type', 'application/x-amz-json-1.0');
    response.setHeader('Content-Length', Buffer.byteLength(body));
    end(body);
    // dynalite may come with an answer of its own yet
    response.setHeader = () => response;
    response.end = () => response;
  };
}
