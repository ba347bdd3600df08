import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { HandAgent } from './src/hand-agent.ts';
import { describeWith } from './src/tool.ts';
import { World } from './src/world.ts';

let world: World;

beforeAll(async () => {
  world = await World.start({ sources: {} });
  await world.agent.stop();
});
afterAll(() => world.stop());

test('a person plays the agent with the text encoding, following PROTOCOL.md alone', async () => {
  const agent = new HandAgent({
    url: `ws://127.0.0.1:${world.port}/link`,
    token: await world.token(),
  });
  expect(await agent.opened).toBe(true);
  expect(agent.protocol).toBe('');
  agent.sendHello(world.device);
  expect(await agent.next('welcome')).toMatchObject({ version: 1, limits: { frameBytes: 30_000 } });
  const answer = world.pull('metrics', '/a?b=c', { headers: { 'X-Hello': 'you' } });
  const pull = await agent.next('pull');
  expect(pull).toMatchObject({ method: 'GET', path: '/a', query: 'b=c', caller: 'ops', end: true });
  agent.send({
    action: 'head',
    pullId: pull['pullId'],
    replyTo: pull['replyTo'],
    seq: 0,
    status: 200,
    headers: ['content-type', 'text/plain'],
    body: Buffer.from('hello by hand').toString('base64'),
    end: true,
  });
  const response = await answer;
  expect([response.status, await response.text()]).toEqual([200, 'hello by hand']);
  agent.send({ action: 'bye', code: 'shutdown' });
  expect(await agent.closed).toMatchObject({ status: 101 });
});

/** A WebSocket client in the standard library: handshake, one unfragmented text frame each way. */
const python = `
import base64, json, os, socket, struct, sys
host, port, token, device = sys.argv[1], int(sys.argv[2]), sys.stdin.readline().strip(), sys.argv[3]
s = socket.create_connection((host, port)); f = s.makefile('rb')
s.sendall(f'GET /link HTTP/1.1\\r\\nHost: {host}:{port}\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\\r\\nSec-WebSocket-Version: 13\\r\\nAuthorization: Bearer {token}\\r\\n\\r\\n'.encode())
while f.readline().strip(): pass
def send(o):
    d = json.dumps(o).encode(); m = os.urandom(4); n = len(d)
    h = struct.pack('!BB', 0x81, 0x80 | n) if n < 126 else struct.pack('!BBH', 0x81, 0xfe, n)
    s.sendall(h + m + bytes(b ^ m[i % 4] for i, b in enumerate(d)))
def receive():
    n = f.read(2)[1]
    if n == 126: n = struct.unpack('!H', f.read(2))[0]
    return json.loads(f.read(n))
send({'action': 'hello', 'version': 1, 'agent': 'python/3', 'device': device, 'instance': 'main', 'sources': [{'name': 'metrics', 'kind': 'http', 'methods': ['GET']}], 'labels': {}, 'features': []})
print(receive()['action'], flush=True)
p = receive()
send({'action': 'head', 'pullId': p['pullId'], 'replyTo': p['replyTo'], 'seq': 0, 'status': 200, 'headers': ['content-type', 'text/plain'], 'body': base64.b64encode(b'hello from python').decode(), 'end': True})
f.read(1)
`;

describeWith(['python3'], 'Python, without a library', ({ python3 }) => {
  test('answers a pull', async () => {
    const child = spawn(python3, ['-c', python, '127.0.0.1', String(world.port), world.device], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    child.stdin.end(`${await world.token()}\n`);
    const [said] = (await once(child.stdout, 'data')) as [Buffer];
    expect(said.toString().trim()).toBe('welcome');
    const response = await world.pull('metrics', '/');
    expect([response.status, await response.text()]).toEqual([200, 'hello from python']);
    child.kill();
    await once(child, 'exit');
  });
});
