import { rmSync } from 'node:fs';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import dynalite from 'dynalite';
import { EngineAnswers, failAnswer } from './engine-answers.ts';
import { closeIteratorsAtEnd } from './engine-iterators.ts';
import type { EngineMessage, EngineOrders, Partitions, ServerMessage } from './engine-message.ts';
import { isForeignWrite, isWrite, partitionsOf } from './engine-request.ts';
import { isDiskFull, isStorageError, storageWords, whenRoom } from './engine-storage.ts';
import { syncWrites } from './engine-writes.ts';

/** Milliseconds that requests under way get when the engine stops. */
const stopGraceMs = 2_000;

/**
 * The thread of the embedded DynamoDB engine. The server that started it holds the folder's lock, so whatever is at
 * the socket's path is stale. What dynalite throws ends the thread, and the server starts another; but where the disk is
 * full nothing could be opened anew, so that the thread goes on reading until there is room.
 */
function runEngine(port: MessagePort, orders: EngineOrders): void {
  closeIteratorsAtEnd();
  syncWrites();
  const server = dynalite({ path: orders.path, createTableMs: 0 });
  const answers = new Map<number, () => void>();
  const inHand = new EngineAnswers();
  let writes = 0;
  let unwritable: string | undefined;

  process.on('uncaughtException', (error) => {
    if (!isStorageError(error) || !isDiskFull(error)) throw error;
    inHand.failAll(storageWords(orders.path, error));
    if (unwritable !== undefined) return;
    unwritable = storageWords(orders.path, error);
    tell(port, { kind: 'unwritable', why: unwritable });
    whenRoom(orders.path, () => stop(server, orders.socketPath));
  });
  refuseWrites(server, inHand, () => unwritable);
  watchRequests(server, orders.ownWriter, (partitions, answer) => {
    writes += 1;
    answers.set(writes, answer);
    tell(port, { kind: 'foreign-write', id: writes, partitions });
  });
  port.on('message', (message: ServerMessage) => {
    if (message.kind === 'stop') return stop(server, orders.socketPath);
    answers.get(message.id)?.();
    answers.delete(message.id);
  });
  rmSync(orders.socketPath, { force: true });
  server.keepAliveTimeout = 0; // its peers are on this machine and close when they end
  server.listen(orders.socketPath, () => tell(port, { kind: 'listening' }));
}

function tell(port: MessagePort, message: EngineMessage): void {
  port.postMessage(message);
}

/** Takes what a foreign write changes, and its answer, which is sent by calling it. */
type Hold = (partitions: Partitions, answer: () => void) => void;

/** Hands each foreign write to `hold`. */
function watchRequests(server: Server, ownWriter: string, hold: Hold) {
  const [handle] = server.listeners('request') as [RequestListener];
  server.removeAllListeners('request');
  server.on('request', (request, response) => {
    if (isForeignWrite(request.headers, ownWriter)) holdAnswer(request, response, hold);
    handle(request, response);
    // dynalite throws where a request breaks off, and that would end the thread
    request.removeAllListeners('error');
    request.on('error', () => response.destroy());
  });
}

/**
 * After a write that failed nothing more is written until the database is opened anew: LevelDB's journal may end in half an
 * entry then, and what came behind it would be lost at the next start.
 */
function refuseWrites(server: Server, inHand: EngineAnswers, why: () => string | undefined): void {
  const [handle] = server.listeners('request') as [RequestListener];
  server.removeAllListeners('request');
  server.on('request', (request, response) => {
    const unwritable = why();
    if (unwritable !== undefined && isWrite(request.headers)) {
      request.resume();
      return failAnswer(response, unwritable);
    }
    inHand.add(response);
    handle(request, response);
  });
}

function holdAnswer(request: IncomingMessage, response: ServerResponse, hold: Hold): void {
  const body: Buffer[] = []; // dynalite reads it too, from the same event
  request.on('data', (chunk: Buffer) => body.push(Buffer.from(chunk)));
  const end = response.end.bind(response) as (...args: unknown[]) => ServerResponse;
  const held = (...args: unknown[]) => {
    hold(partitionsOf(Buffer.concat(body).toString()), () => end(...args));
    return response;
  };
  response.end = held as typeof response.end;
}

/** The socket goes first, while the folder's lock still keeps others from putting theirs there. */
function stop(server: Server, socketPath: string): void {
  rmSync(socketPath, { force: true });
  setTimeout(() => server.closeAllConnections(), stopGraceMs).unref();
  server.close(() => process.exit(0));
}

if (parentPort === null) throw new Error('the engine runs in a worker thread');
runEngine(parentPort, workerData as EngineOrders);
