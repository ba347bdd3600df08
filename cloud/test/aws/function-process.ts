/**
 * `node function-process.ts INDEX`: the process of one environment of a function. Events come over IPC, one at a time, and
 * results go back; between them the parent stops it (SIGSTOP), as Lambda freezes an environment.
 */
import { pathToFileURL } from 'node:url';

interface Invocation {
  readonly id: number;
  readonly event: unknown;
}

type Handler = (event: unknown, context: unknown) => Promise<unknown>;

const index = process.argv[2];
if (index === undefined || process.send === undefined) throw new Error('INDEX and IPC are needed');
const say = (message: unknown) => process.send?.(message);
const { handler } = (await import(pathToFileURL(index).href)) as { handler: Handler };

process.on('message', ({ id, event }: Invocation) => {
  const context = { awsRequestId: String(id), getRemainingTimeInMillis: () => 60_000 };
  handler(event, context).then(
    (result) => say({ id, result }),
    (error: unknown) => say({ id, error: String(error) }),
  );
});
say({ ready: true });
