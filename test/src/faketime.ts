import { existsSync } from 'node:fs';

const libraries = ['x86_64', 'aarch64'].map(
  (machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketime.so.1`,
);

/**
 * The environment of a process whose clock is off, for OpenSSL and all the rest of it: `+12h`, `-400d`. Timers go on as
 * they are. `.ci/system` installs the library.
 */
export function fakedClock(offset: string): Record<string, string> {
  return { LD_PRELOAD: library(), FAKETIME: offset, FAKETIME_DONT_FAKE_MONOTONIC: '1' };
}

/** The environment of a process both of whose clocks are off by what a file says at the time: `+0`, then `+1h`. */
export function steppedClock(file: string): Record<string, string> {
  return { LD_PRELOAD: library(), FAKETIME_TIMESTAMP_FILE: file, FAKETIME_NO_CACHE: '1' };
}

/** As `fakedClock`; the offset stands in a file, and may change while the process runs: within a second it is seen. */
export function fakedClockFile(path: string): Record<string, string> {
  return {
    LD_PRELOAD: library(),
    FAKETIME_TIMESTAMP_FILE: path,
    FAKETIME_CACHE_DURATION: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  };
}

function library(): string {
  const found = libraries.find((path) => existsSync(path));
  if (found === undefined) throw new Error('libfaketime is not installed: run .ci/system');
  return found;
}
