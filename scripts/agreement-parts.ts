import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CodeFacts, readCode } from './agreement-code.ts';
import { type RelayManifest, readManifest } from './agreement-manifest.ts';
import { readTerraform, type TerraformFiles } from './agreement-terraform.ts';
import { readZips, type ZipFacts } from './agreement-zips.ts';
import { ROOT } from './command.ts';
import { bundleLambdas } from './lambda-bundle.ts';

/** What has to agree: terraform/relay.json, the module's files, the code, and the zips that are made of it. */
export interface AgreementParts {
  readonly manifest: RelayManifest;
  readonly terraform: TerraformFiles;
  readonly code: CodeFacts;
  readonly zips: Readonly<Record<string, ZipFacts>>;
}

/** The repository's. The zips are built anew: the same code gives the same bytes. */
export async function readParts(): Promise<AgreementParts> {
  const [manifest, terraform, code] = await Promise.all([
    readManifest(),
    readTerraform(),
    readCode(),
  ]);
  const folder = await mkdtemp(join(tmpdir(), 'pullwire-agreement-'));
  try {
    await bundleLambdas(join(ROOT, 'cloud'), folder, Object.keys(code.functions));
    return { manifest, terraform, code, zips: await readZips(folder, manifest) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
