import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type {
  SpoolAnswer,
  SpoolOrders,
  SpoolRequest,
  SpoolResults,
  SpoolWork,
} from './spool-message.ts';
import { SpoolError, SpoolStore } from './spool-store.ts';

/** The thread of the spool: a commit waits for the disk, and no pull waits with it. */
function runSpool(port: MessagePort, { path, bounds }: SpoolOrders): void {
  const tell = (answer: SpoolAnswer): void => port.postMessage(answer);
  const store = new SpoolStore({
    path,
    bounds,
    damaged: (damaged, movedTo) => tell({ damaged, movedTo }),
  });
  port.on('message', ({ id, work }: SpoolRequest) => {
    try {
      tell({ id, result: doWork(store, work) });
    } catch (error) {
      if (!(error instanceof SpoolError)) throw error;
      tell({ id, trouble: error.trouble });
    }
    if (work.kind === 'close') port.close();
  });
}

function doWork(store: SpoolStore, work: SpoolWork): SpoolResults[SpoolWork['kind']] {
  switch (work.kind) {
    case 'open':
      store.open(work.now);
      return store.state(work.now);
    case 'commit':
      return store.commit(work.change);
    case 'read':
      return store.read(work.after, work.limit, work.now);
    case 'close':
      store.close();
      return undefined;
  }
}

// `workerData` is what `SpoolThread` gave.
if (parentPort !== null) runSpool(parentPort, workerData as SpoolOrders);
