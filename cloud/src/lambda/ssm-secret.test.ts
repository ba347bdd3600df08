import { inspect } from 'node:util';
import { systemClock } from '@pullwire/shared';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type ScriptedAnswer,
  type ScriptedServer,
  scripted,
  scriptedServer,
} from '../../test/scripted-server.ts';
import { SecretError, SsmSecret } from './ssm-secret.ts';

const credentials = { accessKeyId: 'id', secretAccessKey: 'k', sessionToken: undefined };
let server: ScriptedServer;
afterEach(() => server.close());

async function secretAt(...answers: ScriptedAnswer[]): Promise<SsmSecret> {
  server = await scriptedServer(...answers);
  const place = { region: 'eu-west-1', credentials, endpoint: () => server.url };
  return new SsmSecret({ name: '/pullwire/secret', place, clock: systemClock, random: () => 0 });
}

const parameter = JSON.stringify({ Parameter: { Type: 'SecureString', Value: 'swordfish' } });

describe('a secret in SSM', () => {
  it('is asked for as the API wants it', async () => {
    let asked: unknown;
    const secret = await secretAt((response, request) => {
      const { headers } = request;
      const target = headers['x-amz-target'];
      let body = '';
      request.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      request.on('end', () => {
        asked = { target, type: headers['content-type'], body: JSON.parse(body) };
        response.end(parameter);
      });
    });
    expect(await secret.read()).toBe('swordfish');
    expect(asked).toEqual({
      target: 'AmazonSSM.GetParameter',
      type: 'application/x-amz-json-1.1',
      body: { Name: '/pullwire/secret', WithDecryption: true },
    });
    expect(server.requests).toEqual(['POST /']);
  });

  it('is read once, whoever asks and how often', async () => {
    const secret = await secretAt(scripted(200, parameter));
    await Promise.all([secret.read(), secret.read()]);
    await secret.read();
    expect(server.requests).toHaveLength(1);
  });

  it('is asked for again where the first try failed', async () => {
    const secret = await secretAt(
      scripted(400, '{"__type":"ParameterNotFound"}'),
      scripted(200, parameter),
    );
    await expect(secret.read()).rejects.toMatchObject({
      code: 'missing',
      message: 'the SSM parameter /pullwire/secret cannot be read: 400 ParameterNotFound',
    });
    expect(await secret.read()).toBe('swordfish');
  });

  it.each([
    [scripted(400, '{"__type":"AccessDeniedException"}'), 'refused'],
    [scripted(400, '{"__type":"ThrottlingException"}'), 'unavailable'],
    [scripted(500, ''), 'unavailable'],
    [scripted(200, '{"Parameter":{}}'), 'failed'],
    [scripted(200, 'null'), 'failed'],
    [scripted(200, '{"Parameter":{"Value":"swordfish"'), 'failed'],
  ] as const)('that cannot be read says why, and not what it is (%#)', async (answer, code) => {
    const secret = await secretAt(answer);
    const error: unknown = await secret.read().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(SecretError);
    expect(error).toMatchObject({ code });
    expect(inspect(error, { depth: null })).not.toContain('swordfish');
  });
});
