import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dataFolder, prepareDataFolder } from './data-folder.ts';
import { lockDataFolder } from './data-folder-lock.ts';

let parent: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'pw-'));
});
afterEach(() => rm(parent, { recursive: true }));

const prepare = (path: string) => prepareDataFolder(dataFolder(path));

describe('the data folder', () => {
  it('is created for its user alone, whatever the umask', async () => {
    const path = join(parent, 'a', 'b');
    await prepare(path);
    expect((await stat(path)).mode & 0o777).toBe(0o700);
  });

  it.each([0o755, 0o770, 0o701, 0o704])('is refused when others may use it (%o)', async (mode) => {
    const path = join(parent, 'open');
    await mkdir(path);
    await chmod(path, mode);
    await expect(prepare(path)).rejects.toMatchObject({
      code: 'not-private',
      message: expect.stringContaining(`run chmod 700 ${path}`),
    });
  });

  it('says that a file is not a folder', async () => {
    const path = join(parent, 'file');
    await writeFile(path, '');
    await expect(prepare(path)).rejects.toMatchObject({ code: 'unusable' });
  });

  it('is refused when a newer pullwire wrote it, and left as it is', async () => {
    const path = join(parent, 'newer');
    await prepare(path);
    await writeFile(join(path, 'version'), '2\n');
    await expect(prepare(path)).rejects.toMatchObject({
      code: 'newer-version',
      message: expect.stringContaining('run the newer version'),
    });
    expect(await readFile(join(path, 'version'), 'utf8')).toBe('2\n');
  });

  it('is refused when its version is no number', async () => {
    const path = join(parent, 'odd');
    await prepare(path);
    await writeFile(join(path, 'version'), 'x');
    await expect(prepare(path)).rejects.toMatchObject({ code: 'unusable' });
  });

  it('is refused when a socket in it would have too long a path', async () => {
    await expect(prepare(join(parent, 'x'.repeat(100)))).rejects.toMatchObject({
      code: 'path-too-long',
    });
  });

  it('has one owner at a time', async () => {
    const folder = dataFolder(join(parent, 'locked'));
    await prepareDataFolder(folder);
    const unlock = await lockDataFolder(folder);
    await expect(lockDataFolder(folder)).rejects.toMatchObject({ code: 'in-use' });
    await unlock();
    await (await lockDataFolder(folder))();
  });
});
