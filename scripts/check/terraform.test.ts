import { cp, mkdtemp, readFile, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tableDefinition } from '../../cloud/src/registry/dynamo-table.ts';
import { ROOT } from '../command.ts';
import { hasTerraform, mirrorComplaints, runTerraform, secretComplaints } from './terraform.ts';

interface Manifest {
  functions: Record<string, { timeoutSeconds: number; memoryMb: number; environment: string[] }>;
  webSocket: { routes: Record<string, object> };
  table: object;
}

let root = '';
let module = '';

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'pullwire-terraform-'));
  module = join(root, 'terraform');
  await cp(join(ROOT, 'terraform'), module, { recursive: true, verbatimSymlinks: true });
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function change(file: string, edit: (text: string) => string): Promise<void> {
  const path = join(module, file);
  const text = await readFile(path, 'utf8');
  const edited = edit(text);
  expect(edited).not.toBe(text);
  await writeFile(path, edited);
}

const changeManifest = (edit: (manifest: Manifest) => void) =>
  change('relay.json', (text) => {
    const manifest = JSON.parse(text) as Manifest;
    edit(manifest);
    return JSON.stringify(manifest);
  });

describe('what mocked tests run', () => {
  it('is the module, linked file by file', async () => {
    expect(await mirrorComplaints(module)).toEqual([]);
  });

  it('misses a file that has no link', async () => {
    await writeFile(join(module, 'queue.tf'), '');
    expect(await mirrorComplaints(module)).toEqual([
      'tests/relay/queue.tf has to link to ../../queue.tf',
    ]);
  });

  it('is not a copy, and no link to another file', async () => {
    await unlink(join(module, 'tests/relay/table.tf'));
    await writeFile(join(module, 'tests/relay/table.tf'), '');
    await unlink(join(module, 'tests/relay/relay.json'));
    await symlink('../../other.json', join(module, 'tests/relay/relay.json'));
    expect(await mirrorComplaints(module)).toEqual([
      'tests/relay/relay.json has to link to ../../relay.json',
      'tests/relay/table.tf has to link to ../../table.tf',
    ]);
  });
});

describe('the secret', () => {
  const main = 'modules/secret/main.tf';

  it('is ephemeral and write-only', async () => {
    expect(await secretComplaints(module)).toEqual([]);
  });

  it('must not be an argument that is kept', async () => {
    await change(main, (text) => text.replace(/value_wo {9}=/, 'value            ='));
    expect(await secretComplaints(module)).toHaveLength(2);
  });

  it('must not be made by a resource that keeps it', async () => {
    await change(main, (text) => `${text}\nresource "random_password" "secret" {}\n`);
    expect(await secretComplaints(module)).toHaveLength(1);
  });
});

it('gives the table the keys that the code uses', async () => {
  const manifest = JSON.parse(await readFile(join(module, 'relay.json'), 'utf8')) as Manifest;
  expect(manifest.table).toEqual(tableDefinition);
});

/** One plan of the module, in place of all of its tests. */
const onePlan = `
mock_provider "aws" {
  source = "./tests/mocks"
}

run "plan" {
  command = plan

  module {
    source = "./tests/relay"
  }

  variables {
    lambda_folder = "./tests/zips"
  }

  assert {
    condition     = length(aws_apigatewayv2_route.route) == length(local.manifest.webSocket.routes)
    error_message = "a route is missing"
  }
}
`;

// Under CI a missing Terraform fails these, and they say so; elsewhere they are left out.
describe.skipIf(!hasTerraform() && process.env['CI'] !== 'true')('the manifest', () => {
  beforeEach(async () => {
    await rm(join(module, 'tests'), { recursive: true });
    await cp(join(ROOT, 'terraform/tests'), join(module, 'tests'), {
      recursive: true,
      verbatimSymlinks: true,
      filter: (path) => !path.endsWith('.tftest.hcl'),
    });
    await rm(join(module, 'examples'), { recursive: true });
    await writeFile(join(module, 'tests/plan.tftest.hcl'), onePlan.trimStart());
  });

  it('can gain a route without a change of Terraform', async () => {
    await changeManifest(({ webSocket }) => {
      webSocket.routes['bye'] = { function: 'message' };
    });
    expect(await runTerraform(module)).toBe('');
  });

  it('fails the plan with a variable that has no value', async () => {
    await changeManifest(({ functions }) => functions['http']?.environment.push('PULLWIRE_QUEUE'));
    expect(await runTerraform(module)).toMatch(/function http asks for .*PULLWIRE_QUEUE/s);
  });

  it('fails the plan with a function whose permissions nobody wrote', async () => {
    await changeManifest(({ functions }) => {
      functions['enrol'] = { timeoutSeconds: 3, memoryMb: 128, environment: ['PULLWIRE_TABLE'] };
    });
    await writeFile(join(module, 'tests/zips/enrol.zip'), '');
    expect(await runTerraform(module)).toMatch(/function enrol has .*table_actions/s);
  });
});
