/** Characters: tokens of issuers hold groups and roles, yet a request's head holds 16 KB in all. */
const tokenLimit = 8_192;
const form = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/;

/** Whether this has the form of a signed JWT in the compact serialization (RFC 7515 §3.1). */
export function isTokenForm(text: string): boolean {
  return text.length <= tokenLimit && form.test(text);
}
