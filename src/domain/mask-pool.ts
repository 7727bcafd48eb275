/** Hands out masks of a catalogue and takes them back, so that requests do not leave a mask each for the garbage collector. */
export interface MaskPool {
  /** A mask of one byte per item, all of them 1. */
  take(): Uint8Array;
  /** For the next request: nobody may rely on what is in this mask any more. */
  giveBack(mask: Uint8Array): void;
}

/** More masks than a thread computes requests at one time: further ones are garbage. */
const MOST_KEPT = 64;

/** @param length items of the catalogue */
export function createMaskPool(length: number): MaskPool {
  const free: Uint8Array[] = [];
  return {
    take: () => (free.pop() ?? new Uint8Array(length)).fill(1),
    giveBack: (mask) => {
      if (free.length < MOST_KEPT) free.push(mask);
    },
  };
}
