import t from 'tap';
import { createSeededRandom, hashText } from '../../src/domain/seeded-random.js';

t.test('the same seed gives the same numbers, another seed others', async (t) => {
  const draw = (seed: number | string): number[] => {
    const random = createSeededRandom(seed);
    return [random.uniform(), random.integer(100), random.normal(), ...random.shuffle([1, 2, 3, 4, 5])];
  };
  t.same(draw(7), draw(7));
  t.same(draw('u1'), draw('u1'));
  t.notSame(draw(7), draw(8));
});

t.test('numbers have the distribution that their names say', async (t) => {
  const random = createSeededRandom(3);
  const normals = Array.from({ length: 20_000 }, () => random.normal());
  const mean = normals.reduce((sum, value) => sum + value, 0) / normals.length;
  const variance = normals.reduce((sum, value) => sum + (value - mean) ** 2, 0) / normals.length;
  t.ok(Math.abs(mean) < 0.05, `mean ${mean}`);
  t.ok(Math.abs(variance - 1) < 0.05, `variance ${variance}`);
  const whole = Array.from({ length: 3000 }, () => random.integer(3));
  for (const value of [0, 1, 2]) t.ok(whole.filter((drawn) => drawn === value).length > 800);
});

t.test('neighbouring seeds begin with unlike numbers', async (t) => {
  const first = Array.from({ length: 200 }, (_, seed) => createSeededRandom(seed).uniform());
  const mean = first.reduce((sum, value) => sum + value, 0) / first.length;
  t.ok(Math.abs(mean - 0.5) < 0.1, `mean ${mean}`);
});

t.test('a shuffle keeps every value', async (t) => {
  const shuffled = createSeededRandom(1).shuffle(Int32Array.from({ length: 50 }, (_, index) => index));
  t.same(
    [...shuffled].sort((a, b) => a - b),
    [...Array(50).keys()],
  );
  t.notSame([...shuffled], [...Array(50).keys()]);
});

t.test('texts hash as FNV-1a does', async (t) => {
  t.equal(hashText('') >>> 0, 0x811c9dc5);
  t.equal(hashText('a') >>> 0, 0xe40c292c);
});
