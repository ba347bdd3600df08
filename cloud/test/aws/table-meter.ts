import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';

const readCommands = /^(GetItem|BatchGetItem|Query|Scan)Command$/;

/** Counts what a table is asked for, and can make it fail. */
export class TableMeter {
  reads = 0;
  writes = 0;
  /** Answered by an error of this name, such as `ProvisionedThroughputExceededException`, while it is set. */
  failure: string | undefined;

  watch(client: DynamoDBClient): void {
    client.middlewareStack.add(
      (next, context) => async (args) => {
        const name = String(context['commandName']);
        if (readCommands.test(name)) this.reads += 1;
        else this.writes += 1;
        if (this.failure !== undefined) {
          throw Object.assign(new Error('planted'), { name: this.failure, $metadata: {} });
        }
        return next(args);
      },
      { step: 'initialize', name: 'tableMeter' },
    );
  }
}
