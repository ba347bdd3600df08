/** Where objects lie in the bucket, by what they are; its lifecycle rules name the same (terraform/relay.json). */
export const objectPrefixes = { replies: 'replies/', uploads: 'uploads/' } as const;
