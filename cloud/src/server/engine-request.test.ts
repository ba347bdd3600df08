import { expect, test } from 'vitest';
import { isForeignWrite, partitionsOf } from './engine-request.ts';

const key = (pk: string) => ({ pk: { S: pk }, sk: { S: 'profile' } });

test.each([
  ['UpdateItem and DeleteItem', { TableName: 't', Key: key('device#a') }, ['device#a']],
  ['PutItem', { TableName: 't', Item: { ...key('key#h'), name: { S: 'x' } } }, ['key#h']],
  [
    'BatchWriteItem',
    {
      RequestItems: {
        t: [{ DeleteRequest: { Key: key('device#a') } }, { PutRequest: { Item: key('device#b') } }],
      },
    },
    ['device#a', 'device#b'],
  ],
  ['what has no key of ours', { TableName: 't', Key: { id: { S: 'a' } } }, undefined],
  ['CreateTable', { TableName: 't', KeySchema: [] }, undefined],
])('finds the partitions that a write changes: %s', (_name, body, expected) => {
  expect(partitionsOf(JSON.stringify(body))).toEqual(expected);
});

test('finds none in what is no JSON', () => {
  expect(partitionsOf('{')).toBeUndefined();
});

test('a write is foreign unless it carries the server’s own word', () => {
  const target = { 'x-amz-target': 'DynamoDB_20120810.UpdateItem' };
  expect(isForeignWrite(target, 'own')).toBe(true);
  expect(isForeignWrite({ ...target, 'x-pullwire-writer': 'own' }, 'own')).toBe(false);
  expect(isForeignWrite({ 'x-amz-target': 'DynamoDB_20120810.GetItem' }, 'own')).toBe(false);
});
