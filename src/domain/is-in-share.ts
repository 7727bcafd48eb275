import { hash } from 'node:crypto';

/**
 * True for ids in a share of all ids: always the same ones, in every process, and those that were in stay in
 * when the share grows. Shares of different purposes are of ids that have nothing to do with each other.
 * @param share 0 to 1
 */
export function isInShare(id: string, share: number, { purpose }: { purpose: string }): boolean {
  if (share >= 1) return true;
  return placeOf(`${purpose}:${id}`) < share;
}

/** Even from 0 to below 1, the same for the same text, and unlike other hashes of it. */
function placeOf(text: string): number {
  return Number.parseInt(hash('sha256', text, 'hex').slice(0, 8), 16) / 2 ** 32;
}
