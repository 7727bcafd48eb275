import type { FeatureRead } from '../../features/feature-observer.js';

/** Reads of the same view as one. */
export function sumReads(reads: readonly FeatureRead[]): FeatureRead[] {
  const sums = new Map<string, FeatureRead>();
  for (const read of reads) {
    const sum = sums.get(read.view);
    sums.set(read.view, sum === undefined ? read : add(sum, read));
  }
  return [...sums.values()];
}

function add(left: FeatureRead, right: FeatureRead): FeatureRead {
  return {
    view: left.view,
    present: left.present + right.present,
    defaulted: left.defaulted + right.defaulted,
    stale: left.stale + right.stale,
    unknownEntity: left.unknownEntity + right.unknownEntity,
  };
}
