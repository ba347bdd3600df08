/** What AWS.md marks [?] or [log] about function URLs: tests must pass either way. */
export interface FunctionUrlSwitches {
  /** A throw after the head reaches the caller as the end of the body, or as a broken connection. */
  readonly midStreamThrow: 'clean-end' | 'break';
  /** Whether stream mode takes `Content-Encoding` away and unzips a gzip body. */
  readonly stripsContentEncoding: boolean;
  /** Whether `WWW-Authenticate`, `Date` and `Server` arrive as `x-amzn-Remapped-…` only, as several operators report. */
  readonly remapsHeaders: boolean;
}

/** The least friendly reading of each. */
export const functionUrlDefaults: FunctionUrlSwitches = {
  midStreamThrow: 'clean-end',
  stripsContentEncoding: true,
  remapsHeaders: true,
};
