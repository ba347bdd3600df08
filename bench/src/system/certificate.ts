import { join } from 'node:path';
import { runCommand } from '../process/command.ts';
import { requireTool } from '../process/tool.ts';
import type { Workbench } from '../workbench.ts';

/** PEM files. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** A self-signed certificate (P-256, the common choice today) for 127.0.0.1, good for two days. */
export async function makeCertificate({ folder, signal }: Workbench): Promise<Certificate> {
  const cert = join(folder, 'tls.crt');
  const key = join(folder, 'tls.key');
  const openssl = requireTool('openssl', 'openssl');
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const name = ['-subj', '/CN=pullwire-bench', '-addext', 'subjectAltName=IP:127.0.0.1'];
  await runCommand(
    [openssl, 'req', '-x509', ...kind, ...name, '-days', '2', '-keyout', key, '-out', cert],
    { signal },
  );
  return { cert, key };
}
