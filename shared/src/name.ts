/** Ids of devices: 1–128 characters that need no escaping in a URL path (RFC 3986 §2.3, and `:`). */
export const devicePattern = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;
export const instancePattern = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/;
export const scheduleNamePattern = /^[a-z0-9][a-z0-9-]{0,62}$/;
export const sourcePattern = /^[a-z0-9][a-z0-9._-]{0,63}$/;
/** 96 bits and more, in letters that need no escaping. */
export const runPattern = /^[A-Za-z0-9_-]{16,64}$/;
/** A method is a token (RFC 9110 §9.1, §5.6.2). */
export const methodPattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32}$/;
export const pullIdPattern = /^[A-Za-z0-9_-]{21}[AQgw]$/;
