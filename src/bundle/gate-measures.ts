import type { Manifest } from './manifest.js';

/**
 * Names everything of the current bundle that clients and pushes may use and the candidate lacks: sources,
 * attributes that answers show or are filtered by, context fields, feature views.
 */
export function listLost(current: Manifest, candidate: Manifest): string[] {
  const kept = new Set(listOffered(candidate));
  return listOffered(current).filter((offered) => !kept.has(offered));
}

function listOffered({ sources, catalogue, context, views }: Manifest): string[] {
  const { attributes } = catalogue;
  return [
    ...Object.entries(sources).flatMap(([name, { skipped }]) =>
      skipped === undefined ? [`source ${name}`] : [],
    ),
    // The role decides what a filter may say of it.
    ...attributes
      .filter(({ filterable }) => filterable)
      .map(({ name, role }) => `filterable ${role} attribute ${name}`),
    ...attributes.filter(({ shown }) => shown).map(({ name, role }) => `shown ${role} attribute ${name}`),
    ...(context?.fields ?? []).map(({ name, type }) => `${type} context field ${name}`),
    ...Object.entries(views).map(
      ([name, { online }]) => `${online === undefined ? '' : 'online '}view ${name}`,
    ),
  ];
}

/** The size of one part of a bundle, and the size of the same part of another bundle. */
export interface SizeShare {
  readonly of: 'items' | 'users' | 'interactions' | 'bytes';
  readonly ours: number;
  readonly theirs: number;
  readonly share: number;
}

/**
 * Finds the part of the candidate that is smallest against the current bundle, which tells a bundle that was
 * trained on half of the data.
 */
export function findSmallestShare(candidate: Manifest, current: Manifest): SizeShare {
  const [ours, theirs] = [measureSizes(candidate), measureSizes(current)];
  const shares = (['items', 'users', 'interactions', 'bytes'] as const).map((of) => ({
    of,
    ours: ours[of],
    theirs: theirs[of],
    share: theirs[of] === 0 ? 1 : ours[of] / theirs[of],
  }));
  return shares.reduce((least, next) => (next.share < least.share ? next : least));
}

/** Bytes of all files together. */
export function sumBytes({ files }: Manifest): number {
  return Object.values(files).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

/** Rows of the tables go over what the manifest says of its dataset: they are what is served. */
function measureSizes(manifest: Manifest): Record<SizeShare['of'], number> {
  const { dataset, files, catalogue, views } = manifest;
  return {
    items: files[catalogue.file]?.rows ?? dataset.items,
    users: files[views.users.file]?.rows ?? dataset.users,
    interactions: dataset.interactions,
    bytes: sumBytes(manifest),
  };
}
