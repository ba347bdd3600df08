import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Clock, systemClock } from '@pullwire/shared';
import { SsmSecret } from '../../../cloud/src/lambda/ssm-secret.ts';

/** Milliseconds that a new environment takes to read the secret, from an SSM that is one hop away and does nothing. */
export async function secretTime(delayMs: number, clock: Clock = systemClock): Promise<number> {
  const server = createServer((request, response) => {
    request.resume();
    clock.after(delayMs, () => response.end('{"Parameter":{"Value":"planted"}}'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'x', sessionToken: undefined };
  const place = { region: 'eu-central-1', credentials, endpoint: () => url };
  const secret = new SsmSecret({ name: '/pullwire/secret', place, clock, random: Math.random });
  const startedAt = clock.monotonic();
  await secret.read();
  const ms = clock.monotonic() - startedAt;
  server.close();
  server.closeAllConnections();
  return ms;
}
