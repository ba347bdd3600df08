import { request } from 'node:https';

export interface TlsPull {
  readonly port: number;
  readonly path: string;
  readonly key: string;
  /** The authority to trust, PEM. */
  readonly ca: Buffer;
}

/** A pull over TLS: its status and body in one text. */
export function pullByTls({ port, path, key, ca }: TlsPull): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { 'Pullwire-Key': key };
    const asked = request({ host: '127.0.0.1', port, path, ca, headers }, (response) => {
      let text = '';
      response.on('data', (data: Buffer) => {
        text += data.toString();
      });
      response.on('end', () => resolve(`${response.statusCode} ${text}`));
    });
    asked.on('error', reject);
    asked.end();
  });
}
