import type { DynamoTable } from './dynamo-call.ts';
import {
  readDevice,
  readDeviceRecord,
  readDeviceRecords,
  readDevices,
  removeDevice,
} from './dynamo-device.ts';
import { addDevice, replaceDevice, revokeDevice } from './dynamo-device-profile.ts';
import {
  addEnrolCode,
  finishEnrolCode,
  readEnrolCode,
  readEnrolCodes,
  removeEnrolCode,
  spendEnrolCode,
} from './dynamo-enrol-code.ts';
import { changeGrants } from './dynamo-grants.ts';
import { addKey, noteKeyUse, readKey, readKeys, revokeKey } from './dynamo-key.ts';
import {
  closeLink,
  describeLink,
  drainLink,
  openLink,
  readLink,
  replaceLink,
} from './dynamo-link.ts';
import { askRotation, offerKey, promoteKey } from './dynamo-rotation.ts';
import { ensureSchema } from './dynamo-schema.ts';
import { spendToken } from './dynamo-spent-token.ts';
import { type SweepRequest, sweep } from './dynamo-sweep.ts';
import type {
  DeviceRecord,
  EnrolCodeRecord,
  EnrolCodeUse,
  Grant,
  KeyRecord,
  LinkDescription,
  LinkRecord,
  PageRequest,
  Registry,
} from './registry.ts';

export interface DynamoRegistryInit extends DynamoTable {
  /** Whether `ensureSchema` may create the table; on AWS, Terraform owns it. */
  readonly mayCreateTable: boolean;
}

/**
 * The registry in one DynamoDB table: AWS, the embedded engine (dynalite 4) or another endpoint. No transactions,
 * no reliance on TTL, no `ReturnValuesOnConditionCheckFailure`: dynalite has none of them.
 */
export class DynamoRegistry implements Registry {
  readonly #table: DynamoTable;
  readonly #mayCreateTable: boolean;

  constructor(init: DynamoRegistryInit) {
    this.#table = { client: init.client, name: init.name };
    this.#mayCreateTable = init.mayCreateTable;
  }

  ensureSchema() {
    return ensureSchema(this.#table, this.#mayCreateTable);
  }

  deviceRecord(id: string) {
    return readDeviceRecord(this.#table, id);
  }

  deviceRecords(ids: readonly string[]) {
    return readDeviceRecords(this.#table, ids);
  }

  device(id: string) {
    return readDevice(this.#table, id);
  }

  devices(page: PageRequest) {
    return readDevices(this.#table, page);
  }

  addDevice(record: DeviceRecord) {
    return addDevice(this.#table, record);
  }

  replaceDevice(record: DeviceRecord) {
    return replaceDevice(this.#table, record);
  }

  removeDevice(id: string) {
    return removeDevice(this.#table, id);
  }

  revokeDevice(id: string, end: { readonly at: number; readonly why: string }) {
    return revokeDevice(this.#table, id, end);
  }

  askRotation(id: string, at: number) {
    return askRotation(this.#table, id, at);
  }

  offerKey(id: string, currentKey: string, nextKey: string) {
    return offerKey(this.#table, id, currentKey, nextKey);
  }

  promoteKey(id: string, nextKey: string) {
    return promoteKey(this.#table, id, nextKey);
  }

  spendToken(device: string, tokenId: string, expiresAt: number) {
    return spendToken(this.#table, device, tokenId, expiresAt);
  }

  openLink(link: LinkRecord) {
    return openLink(this.#table, link);
  }

  replaceLink(before: LinkRecord | undefined, link: LinkRecord) {
    return replaceLink(this.#table, before, link);
  }

  link(device: string, instance: string) {
    return readLink(this.#table, device, instance);
  }

  drainLink(device: string, instance: string, connectionId: string, at: number) {
    return drainLink(this.#table, device, instance, connectionId, at);
  }

  describeLink(device: string, instance: string, connectionId: string, hello: LinkDescription) {
    return describeLink(this.#table, device, instance, connectionId, hello);
  }

  closeLink(
    device: string,
    instance: string,
    connectionId: string,
    end: { readonly at: number; readonly why: string },
  ) {
    return closeLink(this.#table, device, instance, connectionId, end);
  }

  keyByHash(hash: string) {
    return readKey(this.#table, hash);
  }

  keys(page: PageRequest) {
    return readKeys(this.#table, page);
  }

  addKey(record: KeyRecord) {
    return addKey(this.#table, record);
  }

  revokeKey(id: string, at: number) {
    return revokeKey(this.#table, id, at);
  }

  changeGrants(id: string, before: readonly Grant[], grants: readonly Grant[]) {
    return changeGrants(this.#table, id, before, grants);
  }

  noteKeyUse(hash: string, at: number) {
    return noteKeyUse(this.#table, hash, at);
  }

  addEnrolCode(record: EnrolCodeRecord) {
    return addEnrolCode(this.#table, record);
  }

  enrolCodeByHash(hash: string) {
    return readEnrolCode(this.#table, hash);
  }

  enrolCodes(page: PageRequest) {
    return readEnrolCodes(this.#table, page);
  }

  spendEnrolCode(hash: string, use: EnrolCodeUse) {
    return spendEnrolCode(this.#table, hash, use);
  }

  finishEnrolCode(hash: string, at: number) {
    return finishEnrolCode(this.#table, hash, at);
  }

  removeEnrolCode(id: string) {
    return removeEnrolCode(this.#table, id);
  }

  sweep(request: SweepRequest) {
    return sweep(this.#table, request);
  }
}
