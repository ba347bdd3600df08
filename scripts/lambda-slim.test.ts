import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT, runCommand } from './command.ts';
import { slim } from './lambda-slim.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pullwire-slim-'));
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
});
afterAll(() => rm(folder, { recursive: true }));

/** What a bundle of this module, made slim, prints; and the bundle. */
async function run(
  files: Readonly<Record<string, string>>,
): Promise<{ said: string; code: string }> {
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  const outfile = join(folder, 'out.mjs');
  const { outputFiles } = await build({
    entryPoints: [join(folder, 'main.ts')],
    outfile,
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    plugins: [slim],
  });
  const code = outputFiles[0]?.text ?? '';
  await writeFile(outfile, code);
  const { output } = await runCommand(['node', outfile], { output: 'collect' });
  return { said: output.trim(), code };
}

describe('a slim bundle', () => {
  it('takes modules of Node without reading all that they export', async () => {
    const { said, code } = await run({
      'main.ts': `
        import https, { Agent } from 'node:https';
        import * as path from 'path';
        import { readFile } from 'fs/promises';
        const undici = () => process.moduleLoadList.some((name) => name.includes('undici/undici'));
        console.log(https.Agent === Agent, path.join('a', 'b'), typeof readFile, undici());`,
    });
    expect(said).toBe('true a/b function false');
    expect(/^import .* from/m.test(code)).toBe(false);
  });

  it('loads what packages name and rarely use when it is used', async () => {
    const { said } = await run({
      'lib.cjs': `
        const zlib = require('zlib');
        const assert = require('node:assert');
        const loaded = () => ['zlib', 'assert'].filter((name) => process.moduleLoadList.includes('NativeModule ' + name));
        exports.loaded = loaded;
        exports.use = () => { assert(true); assert.equal(1, 1); return zlib.gunzipSync(zlib.gzipSync('as ever')).toString(); };`,
      'main.ts': `
        import { loaded, use } from './lib.cjs';
        console.log(loaded().join(), use(), loaded().join());`,
    });
    expect(said).toBe('as ever zlib,assert');
  });

  it('logs by pino, without its transports', async () => {
    const { said, code } = await run({
      'main.ts': `
        import { pino } from 'pino';
        const log = pino({ base: null, timestamp: false }, pino.destination({ dest: 1, sync: true }));
        log.info({ device: 'plant-7' }, 'link open');
        try { pino({ transport: { target: 'x' } }); } catch (error) { console.log(error.message); }`,
    });
    expect(said.split('\n')).toEqual([
      '{"level":30,"device":"plant-7","msg":"link open"}',
      'not in this bundle',
    ]);
    expect(/getBuiltinModule\(["']node:worker_threads/.test(code)).toBe(false);
  });

  it('dials by ws, and does not look for its native parts', async () => {
    const { said, code } = await run({
      'main.ts': `
        import { WebSocket } from 'ws';
        const socket = new WebSocket('ws://127.0.0.1:1', { perMessageDeflate: false });
        socket.on('error', (error) => console.log(error.code));`,
    });
    expect(said).toBe('ECONNREFUSED');
    expect(code.includes('class WebSocketServer')).toBe(false);
  });
});
