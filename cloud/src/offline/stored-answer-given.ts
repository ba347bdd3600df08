/** A stored answer that went out; for the log. */
export interface StoredAnswerGiven {
  readonly caller: string;
  readonly device: string;
  readonly source: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly ageSeconds: number;
  readonly cacheStatus: string;
}
