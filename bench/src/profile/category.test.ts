import { describe, expect, it } from 'vitest';
import { categoryOf } from './category.ts';

const at = (file: string, name = 'f') => ({ name, file, line: 1 });

describe('the category of a function', () => {
  it.each([
    ['shared/src/bin-codec.ts', 'codec'],
    ['shared/src/hello-fields.ts', 'codec'],
    ['shared/src/send-queue.ts', 'own code: shared'],
    ['cloud/src/pull/pull-service.ts', 'own code: relay'],
    ['cloud/src/server/pull-log.ts', 'log and audit'],
    ['agent/src/policy/audit.ts', 'log and audit'],
    ['agent/src/pull/pull-desk.ts', 'own code: agent'],
    ['node_modules/pino/lib/proto.js', 'log and audit'],
    ['node_modules/ws/lib/receiver.js', 'WebSocket (ws)'],
    ['node_modules/undici/lib/dispatcher/client-h1.js', 'upstream HTTP (undici)'],
    ['wasm://wasm/00034eea', 'upstream HTTP (undici)'],
    ['node_modules/valibot/dist/index.mjs', 'other libraries'],
    ['node:_http_outgoing', 'HTTP server'],
    ['node:internal/crypto/hash', 'crypto'],
    ['node:internal/stream_base_commons', 'sockets and streams'],
    ['node:internal/timers', 'timers, events, rest of Node'],
    ['something/else.mjs', 'other libraries'],
  ])('in %s is %s', (file, category) => {
    expect(categoryOf(at(file), [])).toBe(category);
  });

  it.each([
    ['(idle)', 'idle'],
    ['(garbage collector)', 'garbage collection'],
    ['(program)', 'native (libuv, system calls, HTTP parser)'],
  ])('%s of the engine is %s', (name, category) => {
    expect(categoryOf(at('', name), [at('', '(root)')])).toBe(category);
  });

  it('is that of the caller, where it is native', () => {
    const callers = [at('', 'apply'), at('shared/src/bin-codec.ts'), at('node:net')];
    expect(categoryOf(at('', 'parse'), callers)).toBe('codec');
  });

  it('is a system write, where it is a native write to a socket, whoever asked for it', () => {
    const callers = [at('node:internal/stream_base_commons'), at('node_modules/ws/lib/sender.js')];
    expect(categoryOf(at('', 'writev'), callers)).toBe('system writes');
  });

  it('is the log, where it is a native write to a file', () => {
    expect(categoryOf(at('', 'writeBuffer'), [at('node:fs')])).toBe('log and audit');
  });
});
