import { describe, expect, it } from 'vitest';
import { parseIssuers } from './issuer-config.ts';

const grants = [{ devices: ['plant-*'], sources: ['*'], methods: ['GET'] }];
const least = { issuer: 'https://login.example.com', audience: 'pullwire', callers: { grants } };
const one = (changes: object) => parseIssuers([{ ...least, ...changes }]);

describe('the list of issuers', () => {
  it('may be absent', () => {
    expect(parseIssuers(undefined)).toEqual({ issuers: [] });
    expect(parseIssuers([])).toEqual({ issuers: [] });
  });

  it('has what is not said filled in', () => {
    expect(one({ agents: {} })).toEqual({
      issuers: [
        {
          issuer: 'https://login.example.com',
          audience: 'pullwire',
          algorithms: ['RS256', 'PS256', 'ES256', 'EdDSA'],
          agents: { device: 'sub', instance: 'inst', labels: {} },
          callers: { name: 'sub', grants: [{ ...grants[0], when: {} }] },
        },
      ],
    });
  });

  it('keeps what is said', () => {
    const said = {
      issuer: 'http://127.0.0.1:9/realm/',
      jwksUri: 'http://[::1]:9/keys?v=1',
      audience: 'pullwire',
      algorithms: ['ES384'],
      agents: { device: 'device_id', instance: 'unit', labels: { site: 'site_claim' } },
      callers: {
        name: 'email',
        grants: [{ ...grants[0], when: { groups: 'ops', verified: true, level: 3 } }],
      },
    };
    expect(parseIssuers([said])).toEqual({ issuers: [said] });
  });

  it.each([
    [{ issuer: 'http://login.example.com' }, 'issuers[0].issuer: must be an https URL'],
    [{ issuer: 'https://u:secret@login.example.com' }, 'issuers[0].issuer: must be an https URL'],
    [{ issuer: 'https://login.example.com?a' }, 'issuers[0].issuer: must have no query'],
    [{ issuer: 'login.example.com' }, 'issuers[0].issuer: must be an https URL'],
    [{ issuer: undefined }, 'issuers[0].issuer: must be a text'],
    [{ jwksUri: 'file:///etc/passwd' }, 'issuers[0].jwksUri: must be an https URL'],
    [{ audience: '' }, 'issuers[0].audience: must not be empty'],
    [{ algorithms: ['HS256'] }, 'issuers[0].algorithms[0]: must be one of RS256'],
    [{ algorithms: ['none'] }, 'issuers[0].algorithms[0]: must be one of RS256'],
    [{ algorithms: [] }, 'issuers[0].algorithms: must have at least one entry'],
    [{ callers: undefined }, 'issuers[0]: must have `agents`, `callers` or both'],
    [{ callers: { grants: [] } }, 'issuers[0].callers.grants: must have at least one entry'],
    [{ callers: {} }, 'issuers[0].callers.grants: must be set'],
    [{ audiance: 'x' }, 'issuers[0].audiance: is not one of issuer, jwksUri'],
    [
      { callers: { grants: [{ ...grants[0], wen: { groups: 'ops' } }] } },
      'issuers[0].callers.grants[0].wen: is not one of when, devices',
    ],
    [
      { callers: { grants: [{ ...grants[0], when: { groups: ['ops'] } }] } },
      'issuers[0].callers.grants[0].when.groups: must be one plain value',
    ],
    [
      { callers: { grants: [{ ...grants[0], devices: ['a b'] }] } },
      'issuers[0].callers.grants[0].devices[0]: can match nothing: value was "a b"',
    ],
    [
      { callers: { grants: [{ ...grants[0], methods: ['get'] }] } },
      'issuers[0].callers.grants[0].methods[0]: can match nothing',
    ],
  ])('with %j is refused: %s', (changes, mistake) => {
    const parsed = one(changes);
    expect(parsed).toEqual({ mistakes: [expect.stringContaining(mistake)] });
    expect(JSON.stringify(parsed)).not.toContain('secret');
  });

  it('names an issuer once', () => {
    expect(parseIssuers([least, least])).toEqual({
      mistakes: ['issuers: https://login.example.com is there twice'],
    });
  });

  it.each(['x', 7, {}, [7], [null]])('is not %j', (value) => {
    expect(parseIssuers(value)).toHaveProperty('mistakes');
  });
});
