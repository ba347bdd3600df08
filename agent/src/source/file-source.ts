import type { SourceInfo } from '@pullwire/shared';
import { AllowList } from '../policy/allow-list.ts';
import type { FileSourceConfig } from './file-config.ts';
import { FileRun, type FileRunContext } from './file-run.ts';
import type { ReplyWriter, Source, SourceRequest, SourceRun } from './source.ts';
import type { SourceDeps } from './source-deps.ts';

/** A folder of the device, read only. */
export class FileSource implements Source {
  readonly info: SourceInfo;
  readonly #context: FileRunContext;

  constructor(info: SourceInfo, config: FileSourceConfig, { clock }: SourceDeps) {
    this.info = info;
    const allow = new AllowList(config.allow);
    this.#context = { name: info.name, config, allow, wall: () => clock.wall() };
  }

  open(request: SourceRequest, reply: ReplyWriter): SourceRun {
    const run = new FileRun(this.#context, request, reply);
    run.start();
    return run;
  }

  /** Nothing is kept open between pulls. */
  async close(): Promise<void> {}
}
