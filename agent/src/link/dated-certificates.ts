import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface DatedCertificate {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
}

export interface Dates {
  /** Milliseconds since the epoch, whole seconds. */
  readonly from: number;
  readonly to: number;
  /** Name of the one that signs it; absent: itself. */
  readonly issuer?: string;
}

const config = (folder: string): string => `
[ca]
default_ca = here
[here]
database = ${folder}/index
new_certs_dir = ${folder}
default_md = sha256
policy = any
unique_subject = no
rand_serial = yes
[any]
commonName = supplied
[usable]
basicConstraints = critical,CA:true
subjectAltName = DNS:localhost,IP:127.0.0.1
`;

const openssl = promisify(execFile);

/** Makes certificates for loopback with chosen dates: for tests. */
export class DatedCertificates {
  #folder = '';

  async start(): Promise<void> {
    this.#folder = await mkdtemp(join(tmpdir(), 'pullwire-certificates-'));
    await writeFile(this.#path('config'), config(this.#folder));
    await writeFile(this.#path('index'), '');
  }

  stop(): Promise<void> {
    return rm(this.#folder, { recursive: true });
  }

  async make(name: string, { from, to, issuer = name }: Dates): Promise<DatedCertificate> {
    const [key, asked, cert] = ['key', 'csr', 'cert'].map((kind) => this.#path(`${name}.${kind}`));
    await this.#run(
      'req',
      '-new',
      '-nodes',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      ...[...['-subj', `/CN=${name}`, '-keyout', key, '-out', asked]],
    );
    const signer =
      issuer === name
        ? ['-selfsign', '-keyfile', key]
        : ['-cert', this.#path(`${issuer}.cert`), '-keyfile', this.#path(`${issuer}.key`)];
    await this.#run(
      'ca',
      '-batch',
      '-notext',
      '-extensions',
      'usable',
      ...signer,
      ...[...['-startdate', asn1Time(from), '-enddate', asn1Time(to), '-in', asked, '-out', cert]],
    );
    return { cert: await readFile(cert ?? '', 'utf8'), key: await readFile(key ?? '', 'utf8') };
  }

  async #run(command: string, ...args: (string | undefined)[]): Promise<void> {
    await openssl('openssl', [command, '-config', this.#path('config'), ...args.map(String)]);
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }
}

/** GeneralizedTime (RFC 5280 §4.1.2.5.2). */
function asn1Time(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`;
}
