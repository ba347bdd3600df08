/** Bytes of a body that stands in the table; a larger one is an object. DynamoDB counts writes by the kilobyte. */
export const inlineBodyBytes = 8 * 1_024;

/** Bytes of a reading's body at most, in however many pieces it comes. */
export const readingBodyBytes = 8 * 1_024 * 1_024;

/** What the setting may be at least: a device whose largest reading is more than a day brings would never have it stored. */
export const leastQuotaBytes = 2 * readingBodyBytes;
export const mostQuotaBytes = 2 ** 40;

/**
 * How far ahead of the relay's clock a reading may be (milliseconds). A device that has never met its relay can be a time
 * zone off; one that is further off would stay the latest of its series for too long.
 */
export const aheadMs = 24 * 3_600_000;

export const dayMs = 24 * 3_600_000;
