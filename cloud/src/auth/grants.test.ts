import { describe, expect, it } from 'vitest';
import type { Grant } from '../registry/registry.ts';
import { compileGrants as compileGrantsAt } from './grants.ts';

const grant = (changes: Partial<Grant> = {}): Grant => ({
  devices: ['plant-*'],
  sources: ['metrics', 'log-*'],
  methods: ['GET', 'HEAD'],
  ...changes,
});

let wall = 0;
const compileGrants = (grants: readonly Grant[]) => compileGrantsAt(grants, () => wall);

const north = { site: 'north' };

describe('grants', () => {
  it('allow nothing where there are none', () => {
    const grants = compileGrants([]);
    expect(grants.allows('plant-7', north, 'metrics', 'GET')).toBe('no-grant');
    expect(grants.seesDevice('plant-7', north)).toBe(false);
    expect(grants.managesDevice('plant-7', north)).toBe(false);
  });

  it.each([
    ['plant-7', 'metrics', 'GET', 'allowed'],
    ['plant-7', 'log-app', 'HEAD', 'allowed'],
    ['plant-7', 'metrics', 'POST', 'method-not-granted'],
    ['plant-7', 'metrics', 'get', 'method-not-granted'],
    ['plant-7', 'Metrics', 'GET', 'no-grant'],
    ['plant-7', 'shell', 'GET', 'no-grant'],
    ['plantx', 'metrics', 'GET', 'no-grant'],
    ['Plant-7', 'metrics', 'GET', 'no-grant'],
  ])('of one key: %s %s %s is %s', (device, source, method, verdict) => {
    expect(compileGrants([grant()]).allows(device, {}, source, method)).toBe(verdict);
  });

  it('take `*` for any method', () => {
    const grants = compileGrants([grant({ methods: ['*'] })]);
    expect(grants.allows('plant-7', {}, 'metrics', 'PROPFIND')).toBe('allowed');
  });

  it('want every label that they name', () => {
    const grants = compileGrants([grant({ labels: { site: 'north', line: '2' } })]);
    expect(grants.allows('plant-7', north, 'metrics', 'GET')).toBe('no-grant');
    expect(grants.allows('plant-7', { ...north, line: '2' }, 'metrics', 'GET')).toBe('allowed');
    expect(grants.seesDevice('plant-7', north)).toBe(false);
  });

  it('find no label in what every object has', () => {
    const grants = compileGrants([grant({ labels: { constructor: 'x' } })]);
    expect(grants.seesDevice('plant-7', {})).toBe(false);
  });

  it('add up, but never across two grants', () => {
    const grants = compileGrants([
      grant({ devices: ['plant-1'], methods: ['GET'] }),
      grant({ devices: ['plant-2'], methods: ['POST'], sources: ['metrics'] }),
    ]);
    expect(grants.allows('plant-1', {}, 'metrics', 'GET')).toBe('allowed');
    expect(grants.allows('plant-2', {}, 'metrics', 'POST')).toBe('allowed');
    expect(grants.allows('plant-1', {}, 'metrics', 'POST')).toBe('method-not-granted');
    expect(grants.allows('plant-2', {}, 'log-app', 'POST')).toBe('no-grant');
  });

  it('end by the clock, for pulls, listings and deleting alike', () => {
    const grants = compileGrants([grant({ until: 100, manage: true })]);
    wall = 99_999;
    expect(grants.allows('plant-7', {}, 'metrics', 'GET')).toBe('allowed');
    expect(grants.seesDevice('plant-7', {})).toBe(true);
    expect(grants.managesDevice('plant-7', {})).toBe(true);
    wall = 100_000;
    expect(grants.allows('plant-7', {}, 'metrics', 'GET')).toBe('no-grant');
    expect(grants.seesDevice('plant-7', {})).toBe(false);
    expect(grants.managesDevice('plant-7', {})).toBe(false);
  });

  it('that have ended leave the others alone, and tell nothing of methods', () => {
    wall = 100_000;
    const grants = compileGrants([grant({ until: 100, methods: ['POST'] }), grant({ until: 101 })]);
    expect(grants.allows('plant-7', {}, 'metrics', 'GET')).toBe('allowed');
    wall = 101_000;
    expect(grants.allows('plant-7', {}, 'metrics', 'POST')).toBe('no-grant');
  });

  it('let a key manage devices only where they say so', () => {
    expect(compileGrants([grant()]).managesDevice('plant-7', {})).toBe(false);
    const grants = compileGrants([grant({ manage: true })]);
    expect(grants.managesDevice('plant-7', {})).toBe(true);
    expect(grants.managesDevice('office-1', {})).toBe(false);
  });
});

describe('an upload', () => {
  it.each([
    ['no-grant', []],
    ['no-grant', [grant({ methods: ['*'], until: 1 })]],
    ['method-not-granted', [grant({ methods: ['GET', 'HEAD'] })]],
    ['method-not-granted', [grant(), grant({ methods: ['POST'], until: 1 })]],
    ['allowed', [grant(), grant({ methods: ['POST'] })]],
    ['allowed', [grant({ methods: ['*'] })]],
  ] as const)('is %s where it is for no pull that could be granted (%#)', (verdict, grants) => {
    expect(compileGrantsAt(grants, () => 5_000).uploads()).toBe(verdict);
  });
});
