import { subprotocols } from '@pullwire/shared';
import * as v from 'valibot';
import {
  type Item,
  jsonOf,
  numberOf,
  optionalNumberOf,
  optionalTextOf,
  textOf,
  toItem,
} from './dynamo-attribute.ts';
import { itemKeys, linkListId, linkSortPrefix, listKinds } from './dynamo-table.ts';
import type { DeviceRecord, KeyRecord, LinkRecord } from './registry.ts';

const textList = v.array(v.string());
const labelMap = v.record(v.string(), v.string());
const sourceList = v.array(v.object({ name: v.string(), kind: v.string(), methods: textList }));
const grantList = v.array(
  v.object({
    devices: textList,
    labels: v.exactOptional(labelMap),
    sources: textList,
    methods: textList,
    manage: v.exactOptional(v.boolean()),
  }),
);
const subprotocol = v.picklist(subprotocols);

export function deviceOfItem(item: Item): DeviceRecord {
  return {
    device: textOf(item, 'id'),
    publicKey: textOf(item, 'publicKey'),
    labels: jsonOf(item, 'labels', labelMap),
    createdAt: numberOf(item, 'createdAt'),
  };
}

export function isLink(item: Item): boolean {
  return textOf(item, 'sk').startsWith(linkSortPrefix);
}

export function linkItem(link: LinkRecord): Item {
  const id = linkListId(link.device, link.instance);
  return {
    ...itemKeys.link(link.device, link.instance),
    ...toItem({ ...link, kind: listKinds.link, id }),
  };
}

export function linkOfItem(item: Item): LinkRecord {
  const expiresAt = optionalNumberOf(item, 'expiresAt');
  const closedAt = optionalNumberOf(item, 'closedAt');
  const closedWhy = optionalTextOf(item, 'closedWhy');
  const drainingAt = optionalNumberOf(item, 'drainingAt');
  const replaces = optionalTextOf(item, 'replaces');
  return {
    device: textOf(item, 'device'),
    instance: textOf(item, 'instance'),
    connectionId: textOf(item, 'connectionId'),
    connectedAt: numberOf(item, 'connectedAt'),
    subprotocol: v.parse(subprotocol, textOf(item, 'subprotocol')),
    agent: textOf(item, 'agent'),
    sources: jsonOf(item, 'sources', sourceList),
    labels: jsonOf(item, 'labels', labelMap),
    features: jsonOf(item, 'features', textList),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(closedAt === undefined ? {} : { closedAt }),
    ...(closedWhy === undefined ? {} : { closedWhy }),
    ...(drainingAt === undefined ? {} : { drainingAt }),
    ...(replaces === undefined ? {} : { replaces }),
  };
}

export function keyItem(key: KeyRecord): Item {
  return { ...itemKeys.callerKey(key.hash), ...toItem({ ...key, kind: listKinds.key }) };
}

export function keyOfItem(item: Item): KeyRecord {
  const expiresAt = optionalNumberOf(item, 'expiresAt');
  const revokedAt = optionalNumberOf(item, 'revokedAt');
  return {
    id: textOf(item, 'id'),
    name: textOf(item, 'name'),
    hash: textOf(item, 'hash'),
    prefix: textOf(item, 'prefix'),
    grants: jsonOf(item, 'grants', grantList),
    createdAt: numberOf(item, 'createdAt'),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(revokedAt === undefined ? {} : { revokedAt }),
  };
}
