import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireTool, type ToolName } from './tool.ts';

// A name that no machine has, so that what is installed here does not matter.
const unknown = 'pullwire-no-such-tool' as ToolName;

describe('a program that a test needs', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pullwire-tool-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('is found in PATH', async () => {
    const path = join(folder, 'chromium');
    await writeFile(path, '#!/bin/sh\n');
    await chmod(path, 0o755);
    expect(requireTool('chromium', { PATH: folder })).toEqual({ path });
  });

  it('that is missing is a reason to skip', () => {
    expect(requireTool(unknown, { PATH: folder })).toEqual({
      skip: expect.stringContaining('pullwire-no-such-tool is not installed'),
    });
  });

  it('that is missing under CI=true is a failure', () => {
    expect(() => requireTool(unknown, { PATH: folder, CI: 'true' })).toThrow(/under CI=true/);
  });
});
