import { mkdtemp, rm, stat } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { json, LocalServer } from './local-server.ts';

let server: LocalServer;
let port: number;

beforeEach(async () => {
  server = new LocalServer({ '/status': () => json(200, { well: true }) });
  port = await server.start({ host: '127.0.0.1', port: 0 });
});

afterEach(() => server.stop());

const ask = (path: string, method = 'GET') => fetch(`http://127.0.0.1:${port}${path}`, { method });

describe('a local server', () => {
  it('answers what it has, with or without a query', async () => {
    const answer = await ask('/status?verbose');
    expect(await answer.json()).toEqual({ well: true });
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  it('sends no body where none is asked for', async () => {
    const answer = await ask('/status', 'HEAD');
    expect([answer.status, await answer.text()]).toEqual([200, '']);
    expect(answer.headers.get('content-length')).toBe('14');
  });

  it.each(['/other', '/', '/constructor'])('says what there is in place of %s', async (path) => {
    const answer = await ask(path);
    expect([answer.status, await answer.text()]).toEqual([
      404,
      `There is no ${path} here; there is /status.\n`,
    ]);
  });

  it('changes nothing, whatever is asked', async () => {
    const answer = await ask('/status', 'POST');
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  it('is refused a port that another has', async () => {
    const other = new LocalServer({});
    await expect(other.start({ host: '127.0.0.1', port })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
  });

  it('listens on a Unix socket that only its owner may use, and leaves none behind', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'pullwire-local-'));
    const path = join(folder, 'a.sock');
    const before = process.umask(0);
    const local = new LocalServer({ '/status': () => json(200, { well: true }) });
    await local.start({ path });
    process.umask(before);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      request({ socketPath: path, path: '/status' }, resolve).on('error', reject).end();
    });
    expect(answer.resume().statusCode).toBe(200);
    await local.stop();
    await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' });
    await rm(folder, { recursive: true });
  });
});
