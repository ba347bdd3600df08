import type { Metafile } from 'esbuild';

/** How large one function's bundle is, and what makes it so. Bytes. */
export interface LambdaSize {
  readonly name: string;
  /** Of `index.mjs`. */
  readonly bytes: number;
  readonly budget: number;
  readonly zipBytes: number;
  /** By package, the largest first. */
  readonly packages: Readonly<Record<string, number>>;
}

/** Issue 4, "Shows" 6: what a cold start reads and compiles. */
export function sizeBudget(name: string): number {
  return name === 'http' ? 900_000 : 600_000;
}

/** Bytes of each package in the one output of a build. */
export function packageSizes({ outputs }: Metafile): Record<string, number> {
  const sizes: Record<string, number> = {};
  for (const { inputs } of Object.values(outputs)) {
    for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
      const name = packageOf(path);
      sizes[name] = (sizes[name] ?? 0) + bytesInOutput;
    }
  }
  return Object.fromEntries(Object.entries(sizes).sort(([, a], [, b]) => b - a));
}

/** The innermost package under `node_modules`, else the workspace: `shared`, `cloud`. */
function packageOf(path: string): string {
  const [, inside] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path) ?? [];
  if (inside !== undefined) return inside;
  return path.startsWith('../') ? (path.split('/')[1] ?? path) : 'cloud';
}

/** A line for people. */
export function describeSize({ name, bytes, budget, zipBytes, packages }: LambdaSize): string {
  const largest = Object.entries(packages).slice(0, 5);
  const list = largest.map(([pack, size]) => `${pack} ${kilobytes(size)}`).join(', ');
  return `${name}: ${kilobytes(bytes)} of ${kilobytes(budget)} (zip ${kilobytes(zipBytes)}): ${list}`;
}

function kilobytes(bytes: number): string {
  return `${Math.round(bytes / 1_000)} KB`;
}
