import type { StoredPart } from './object-store.ts';
import { ObjectStoreError } from './object-store-error.ts';

/** The texts of all elements of that name, in order. S3's answers are flat where we read them (RestXml, no namespaces). */
export function elements(xml: string, name: string): string[] {
  const pattern = new RegExp(`<${name}>([^<]*)</${name}>`, 'g');
  return [...xml.matchAll(pattern)].map((match) => unescapeXml(match[1] ?? ''));
}

/** The text of the one element that must be there. Throws `failed`. */
export function element(xml: string, name: string): string {
  const text = elements(xml, name)[0];
  if (text === undefined) {
    throw new ObjectStoreError('failed', `the object storage answered without <${name}>`);
  }
  return text;
}

/** What stands between all pairs of `<name>` and `</name>`. */
export function blocks(xml: string, name: string): string[] {
  const pattern = new RegExp(`<${name}>(.*?)</${name}>`, 'gs');
  return [...xml.matchAll(pattern)].map((match) => match[1] ?? '');
}

/** The body of CompleteMultipartUpload. */
export function completionBody(parts: readonly StoredPart[]): string {
  const list = parts.map(
    ({ part, etag, sha256 }) =>
      `<Part><PartNumber>${part}</PartNumber><ETag>${escapeXml(etag)}</ETag>` +
      `<ChecksumSHA256>${hexToBase64(sha256)}</ChecksumSHA256></Part>`,
  );
  const namespace = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';
  return `<CompleteMultipartUpload ${namespace}>${list.join('')}</CompleteMultipartUpload>`;
}

/** As S3 wants a hash in a header. */
export function hexToBase64(hex: string): string {
  return Buffer.from(hex, 'hex').toString('base64');
}

const entities: Readonly<Record<string, string>> = {
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&apos;': "'",
  '&#34;': '"',
  '&#39;': "'",
  '&amp;': '&',
};

function unescapeXml(text: string): string {
  return text.replaceAll(/&(?:lt|gt|quot|apos|amp|#34|#39);/g, (entity) => entities[entity] ?? '');
}

function escapeXml(text: string): string {
  return text.replaceAll(/[<>&"]/g, (char) => `&#${char.charCodeAt(0)};`);
}
