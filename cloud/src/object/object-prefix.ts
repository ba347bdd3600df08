/** Where objects lie in the bucket, by what they are; its lifecycle rules name the same (terraform/relay.json). */
export const objectPrefixes = {
  queue: 'queue/',
  readings: 'readings/',
  replies: 'replies/',
  uploads: 'uploads/',
} as const;

/** What is on its way to somebody, and of no use after that; readings are kept, and bodies of queued pulls for a while. */
export const transitPrefixes = [objectPrefixes.replies, objectPrefixes.uploads] as const;
