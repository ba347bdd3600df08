import { fieldList, type HeaderList, headerValue } from '@pullwire/shared';

/** Fields whose `*` says the same as their absence (RFC 9110 §12.5). */
const anything: Readonly<Record<string, RegExp>> = {
  accept: /^\*\/\*$/,
  'accept-charset': /^\*$/,
  'accept-encoding': /^\*$/,
  'accept-language': /^\*$/,
};

/**
 * The field for which a stored answer is not the one that this request selects (RFC 9111 §4.1); undefined: it is. Schedules
 * ask without any header, so what the answer varies by must be absent here, or say what its absence says.
 */
export function variesBy(stored: HeaderList, request: HeaderList): string | undefined {
  const vary = fieldList(stored, 'vary');
  if (vary === undefined) return undefined;
  const names = vary.split(',').map((name) => name.trim().toLowerCase());
  return names.find((name) => name !== '' && !isSelected(name, stored, request));
}

function isSelected(name: string, stored: HeaderList, request: HeaderList): boolean {
  if (name === '*') return false;
  const said = fieldList(request, name);
  if (said === undefined || anything[name]?.test(said)) return true;
  return name === 'accept-encoding' && takesPlain(said) && !isEncoded(stored);
}

/**
 * Nearly every client lists the encodings it knows, and takes a plain body unless it says otherwise (RFC 9110 §12.5.3):
 * caches reduce the field to that question, or would hold nothing for anybody.
 */
function takesPlain(acceptEncoding: string): boolean {
  const refused = /^(identity|\*)\s*;\s*q\s*=\s*0(\.0{0,3})?$/;
  const codings = acceptEncoding.split(',').map((coding) => coding.trim().toLowerCase());
  const plain = codings.find((coding) => coding.startsWith('identity'));
  return plain === undefined
    ? !codings.some((coding) => refused.test(coding))
    : !refused.test(plain);
}

function isEncoded(stored: HeaderList): boolean {
  const encoding = headerValue(stored, 'content-encoding');
  return encoding !== undefined && encoding.trim().toLowerCase() !== 'identity';
}
