/** The forms in which bytes can be written down that somebody should never see. */
type SecretForm = 'raw' | 'hex' | 'HEX' | 'base64' | 'base64url';

/**
 * The first form in which a text holds these bytes; undefined where it holds them in none. Base64 is looked for at each
 * of the three places where the bytes can lie in a longer whole: as in a PEM (RFC 7468) or a body. `text` is Latin-1.
 */
export function formOf(secret: Buffer, text: string): SecretForm | undefined {
  const forms: [SecretForm, string][] = [
    ['raw', secret.toString('latin1')],
    ['hex', secret.toString('hex')],
    ['HEX', secret.toString('hex').toUpperCase()],
    ...[0, 1, 2].flatMap((offset): [SecretForm, string][] => [
      ['base64', inside(secret, offset, 'base64')],
      ['base64url', inside(secret, offset, 'base64url')],
    ]),
  ];
  // Lines of a PEM, also where a JSON text has them escaped.
  const joined = text.replaceAll(/\r?\n|(?:\\r)?\\n/g, '');
  return forms.find(([, form]) => text.includes(form) || joined.includes(form))?.[0];
}

/** The letters that depend on nothing but the bytes, where `offset` others come before them. */
function inside(secret: Buffer, offset: number, encoding: 'base64' | 'base64url'): string {
  const whole = Buffer.concat([Buffer.alloc(offset), secret]);
  const from = Math.ceil((offset * 8) / 6);
  return whole.toString(encoding).slice(from, Math.floor((whole.length * 8) / 6));
}
