import { randomFillSync } from 'node:crypto';

const ID_BYTES = 16;

/**
 * A call to the system's generator costs about the same for 16 bytes as for 4 KB, and kept answers go out by the thousand a second without any
 * other call of the kind: so bytes are drawn for so many ids at once.
 */
const IDS_DRAWN = 256;

/** Creates a source of slate ids: each call gives a new one, random, so that processes need not agree. */
export function createSlateIds(): () => string {
  const drawn = Buffer.allocUnsafeSlow(IDS_DRAWN * ID_BYTES);
  let next = drawn.length;
  return () => {
    if (next === drawn.length) {
      randomFillSync(drawn);
      next = 0;
    }
    next += ID_BYTES;
    return drawn.toString('base64url', next - ID_BYTES, next);
  };
}
