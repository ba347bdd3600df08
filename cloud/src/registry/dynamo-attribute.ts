import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import * as v from 'valibot';
import { RegistryError } from './registry-error.ts';

export type Item = Record<string, AttributeValue>;

/** An item of these values: text as S, numbers as N, the rest as JSON text in S; undefined ones are left out. */
export function toItem(values: Record<string, unknown>): Item {
  const item: Item = {};
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined) item[name] = toAttribute(value);
  }
  return item;
}

function toAttribute(value: unknown): AttributeValue {
  if (typeof value === 'string') return { S: value };
  if (typeof value === 'number') return { N: String(value) };
  return { S: JSON.stringify(value) };
}

/** Where an item, or an entry of the index, has its place. */
export function keyOf(item: Item): Item {
  return { pk: { S: textOf(item, 'pk') }, sk: { S: textOf(item, 'sk') } };
}

export function textOf(item: Item, name: string): string {
  return optionalTextOf(item, name) ?? damaged(item, name);
}

function optionalTextOf(item: Item, name: string): string | undefined {
  return item[name]?.S;
}

export function numberOf(item: Item, name: string): number {
  return optionalNumberOf(item, name) ?? damaged(item, name);
}

function optionalNumberOf(item: Item, name: string): number | undefined {
  const digits = item[name]?.N;
  return digits === undefined ? undefined : Number(digits);
}

/** Those of these attributes that the item has, as text. */
export function textsOf<N extends string>(
  item: Item,
  ...names: readonly N[]
): { [K in N]?: string } {
  const texts: { [K in N]?: string } = {};
  for (const name of names) {
    const text = optionalTextOf(item, name);
    if (text !== undefined) texts[name] = text;
  }
  return texts;
}

/** Those of these attributes that the item has, as numbers. */
export function numbersOf<N extends string>(
  item: Item,
  ...names: readonly N[]
): { [K in N]?: number } {
  const numbers: { [K in N]?: number } = {};
  for (const name of names) {
    const number = optionalNumberOf(item, name);
    if (number !== undefined) numbers[name] = number;
  }
  return numbers;
}

/** Throws `damaged` where the attribute is not JSON text of this shape. */
export function jsonOf<T>(item: Item, name: string, schema: v.GenericSchema<unknown, T>): T {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), item[name]?.S);
  return parsed.success ? parsed.output : damaged(item, name);
}

function damaged(item: Item, name: string): never {
  const where = `${item['pk']?.S ?? '?'} / ${item['sk']?.S ?? '?'}`;
  throw new RegistryError('damaged', `the item ${where} has no valid attribute "${name}"`);
}
