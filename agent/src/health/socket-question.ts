import { type IncomingMessage, request } from 'node:http';

/** A running agent answers at once; one whose event loop stands still does not answer at all. */
const patienceMs = 5_000;

/**
 * Asks the agent that listens on a Unix socket. Resolves with the JSON that it answers.
 *
 * @throws Error with the `code` of connect(2): `ENOENT` and `ECONNREFUSED` where no agent runs, `EACCES` where it is not
 * ours to ask; `ETIMEDOUT` where it does not answer.
 */
export async function askSocket(socketPath: string, path: string): Promise<unknown> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = request({ socketPath, path, agent: false, timeout: patienceMs }, resolve);
    sent.on('timeout', () => {
      const text = `no answer within ${patienceMs} ms`;
      sent.destroy(Object.assign(new Error(text), { code: 'ETIMEDOUT' }));
    });
    sent.on('error', reject).end();
  });
  let text = '';
  for await (const piece of response.setEncoding('utf8')) text += piece;
  return JSON.parse(text);
}
