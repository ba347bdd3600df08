import { expect, test } from 'vitest';
import { UploadPlaces } from './upload-places.ts';

test('places are given in the order in which they were asked for', () => {
  const places = new UploadPlaces(2);
  const entered: string[] = [];
  const ask = (name: string) => {
    const enter = (): void => {
      entered.push(name);
    };
    places.enter(enter);
    return enter;
  };
  const [a, , c, d] = [ask('a'), ask('b'), ask('c'), ask('d')];
  expect(entered).toEqual(['a', 'b']);
  places.leave(c);
  places.leave(a);
  expect(entered).toEqual(['a', 'b', 'd']);
  places.leave(a);
  expect([places.taken, entered.length]).toEqual([2, 3]);
  places.leave(d);
  expect(places.taken).toBe(1);
});
