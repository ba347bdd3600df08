export interface MemorySample {
  /** Since the first sample. */
  readonly minutes: number;
  readonly bytes: number;
}

/** By how much memory grows, in bytes a minute: the least-squares line through the samples. */
export function memorySlope(samples: readonly MemorySample[]): number {
  const mean = (of: (sample: MemorySample) => number): number =>
    samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length;
  const [minutes, bytes] = [mean((sample) => sample.minutes), mean((sample) => sample.bytes)];
  let covariance = 0;
  let variance = 0;
  for (const sample of samples) {
    covariance += (sample.minutes - minutes) * (sample.bytes - bytes);
    variance += (sample.minutes - minutes) ** 2;
  }
  return variance === 0 ? 0 : covariance / variance;
}
