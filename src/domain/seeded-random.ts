import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** A stream of random numbers that depends on its seed alone: the same seed gives the same run, on any machine. */
export interface SeededRandom {
  /** Uniform in [0, 1). */
  uniform(): number;
  /** Uniform whole number in [0, end). */
  integer(end: number): number;
  /** Standard normal (Box and Muller, 1958). */
  normal(): number;
  /** Shuffles in place (Fisher and Yates) and returns its argument. */
  shuffle<T extends unknown[] | Int32Array | Uint32Array>(values: T): T;
}

/** Small whole numbers as seeds would give streams that begin alike, so every seed is hashed (FNV-1a). */
export function createSeededRandom(seed: number | string): SeededRandom {
  const generator = xoroshiro128plus(hashText(`seed ${seed}`));
  const uniform = (): number => uniformFloat64(generator);
  const integer = (end: number): number => uniformInt(generator, 0, end - 1);
  return {
    uniform,
    integer,
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    shuffle: (values) => {
      for (let last = values.length - 1; last > 0; last--) {
        const other = integer(last + 1);
        [values[last], values[other]] = [values[other]!, values[last]!];
      }
      return values;
    },
  };
}

/** 32-bit FNV-1a over UTF-16 code units. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let position = 0; position < text.length; position++) {
    hash = Math.imul(hash ^ text.charCodeAt(position), 0x01000193);
  }
  return hash | 0;
}
