import { beforeEach, describe } from 'vitest';
import { MemoryLinks } from './memory-links.ts';
import { orderContract } from './registry-contract-order.ts';

describe('links in memory keep the contract of a registry', () => {
  let links = new MemoryLinks();
  beforeEach(() => {
    links = new MemoryLinks();
  });
  orderContract(() => links, { fences: 3, orders: 10_000 });
});
