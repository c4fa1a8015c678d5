import { type Ancestor, findDiscontinuity } from '../../federation/continuity';

/** Returns a generation. `parent` is the number and the run of its parent. (Default: the previous generation) */
function made(generation: number, run = `r${generation}`, parent?: [number, string]): Ancestor {
  const [number, by] = parent ?? [generation - 1, `r${generation - 1}`];
  return { federation: 'f', generation, run, ...(number > 0 && { parent: { generation: number, run: by } }) };
}

/**
 * Returns a function that checks whether a bucket with these generations continues a known generation. The last one in
 * `generations` is the newest.
 */
function bucketOf(...generations: (Ancestor | 'unreadable')[]) {
  const numbered = new Map(
    generations.map((one, at) => [one === 'unreadable' ? at + 1 : one.generation, one]),
  );
  const newest = generations.at(-1);
  if (newest === 'unreadable') throw new TypeError('The newest generation must be readable.');
  return (known: Ancestor) => findDiscontinuity(known, newest, async (number) => numbered.get(number));
}

const other = { code: 'FEDERATION_OTHER' };

test('the known generation and later ones of its history are a continuation', async () => {
  const check = bucketOf(made(1), made(2), made(3));
  for (const known of [made(1), made(2), made(3)]) expect(await check(known)).toBeUndefined();
});

test('an empty bucket, another federation, an earlier state and another history are not', async () => {
  expect(await bucketOf()(made(2))).toMatchObject({ code: 'FEDERATION_MISSING' });
  expect(await bucketOf({ ...made(3), federation: 'g' })(made(2))).toMatchObject({
    ...other,
    detail: 'The bucket contains federation g, not federation f.',
  });
  expect(await bucketOf(made(1), made(2))(made(3))).toMatchObject(other);
  expect(await bucketOf(made(1), made(2, 'x'))(made(2))).toMatchObject(other);
  expect(await bucketOf(made(1), made(2, 'x'), made(3, 'r3', [2, 'x']))(made(2))).toMatchObject({
    ...other,
    detail: expect.stringContaining('Generation 2 in the bucket was committed by x, not by r2.'),
  });
});

test('what the clean-up has deleted is judged by the ancestors that are left', async () => {
  expect(await bucketOf(made(4), made(5))(made(3))).toBeUndefined();
  expect(await bucketOf(made(4, 'r4', [3, 'x']), made(5))(made(3))).toMatchObject(other);
  expect(await bucketOf(made(4), made(5))(made(2))).toBeUndefined();
});

test('a generation that was made from an earlier one continues the one that it replaces', async () => {
  const again = made(4, 'r4', [2, 'r2']);
  expect(await bucketOf(made(1), made(2), made(3), again)(made(3))).toBeUndefined();
  expect(await bucketOf(made(1), made(2), 'unreadable', again)(made(3))).toBeUndefined();
  for (const [replaces, expected] of [
    [{ generation: 3, run: 'r3' }, undefined],
    [{ generation: 3 }, undefined],
    [{ generation: 3, run: 'x' }, other],
  ] as const) {
    const found = await bucketOf(made(2), { ...again, replaces }, made(5))(made(3));
    if (expected === undefined) expect(found).toBeUndefined();
    else expect(found).toMatchObject(expected);
  }
  expect(await bucketOf(made(2), again)(made(3))).toMatchObject({
    ...other,
    detail: expect.stringContaining('was made without generation 3 of r3'),
  });
});
