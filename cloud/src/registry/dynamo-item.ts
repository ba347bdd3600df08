import { subprotocols } from '@pullwire/shared';
import * as v from 'valibot';
import {
  type Item,
  jsonOf,
  numberOf,
  numbersOf,
  textOf,
  textsOf,
  toItem,
} from './dynamo-attribute.ts';
import { itemKeys, linkListId, linkSortPrefix, listKinds } from './dynamo-table.ts';
import type { DeviceRecord, EnrolCodeRecord, KeyRecord, LinkRecord } from './registry.ts';

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
    until: v.exactOptional(v.number()),
  }),
);
const codeUse = v.object({ device: v.string(), publicKey: v.string(), at: v.number() });
const subprotocol = v.picklist(subprotocols);

export function deviceOfItem(item: Item): DeviceRecord {
  return {
    device: textOf(item, 'id'),
    publicKey: textOf(item, 'publicKey'),
    labels: jsonOf(item, 'labels', labelMap),
    createdAt: numberOf(item, 'createdAt'),
    ...textsOf(item, 'nextKey', 'revokedWhy'),
    ...numbersOf(item, 'rotationAskedAt', 'revokedAt'),
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
    ...numbersOf(item, 'expiresAt', 'drainingAt', 'upSince', 'closedAt'),
    ...textsOf(item, 'run', 'replaces', 'replacesRun', 'closedWhy'),
    ...(item['ups'] ? { ups: jsonOf(item, 'ups', v.array(v.number())) } : {}),
  };
}

export function keyItem(key: KeyRecord): Item {
  return { ...itemKeys.callerKey(key.hash), ...toItem({ ...key, kind: listKinds.key }) };
}

export function keyOfItem(item: Item): KeyRecord {
  return {
    id: textOf(item, 'id'),
    name: textOf(item, 'name'),
    hash: textOf(item, 'hash'),
    prefix: textOf(item, 'prefix'),
    grants: jsonOf(item, 'grants', grantList),
    createdAt: numberOf(item, 'createdAt'),
    ...numbersOf(item, 'expiresAt', 'revokedAt', 'lastUsedAt'),
  };
}

export function enrolCodeItem(code: EnrolCodeRecord): Item {
  return { ...itemKeys.enrolCode(code.hash), ...toItem({ ...code, kind: listKinds.enrolCode }) };
}

export function enrolCodeOfItem(item: Item): EnrolCodeRecord {
  return {
    id: textOf(item, 'id'),
    hash: textOf(item, 'hash'),
    labels: jsonOf(item, 'labels', labelMap),
    createdAt: numberOf(item, 'createdAt'),
    expiresAt: numberOf(item, 'expiresAt'),
    ...textsOf(item, 'device'),
    ...(item['replaces'] ? { replaces: jsonOf(item, 'replaces', v.boolean()) } : {}),
    ...(item['spent'] ? { spent: jsonOf(item, 'spent', codeUse) } : {}),
    ...numbersOf(item, 'doneAt'),
  };
}
