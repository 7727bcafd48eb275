import { createHash } from 'node:crypto';

/** Matches the name of a version; names sort by the time that versions were made. */
export const VERSION_PATTERN = /^\d{8}T\d{6}Z-[0-9a-f]{8}$/;

/**
 * The name of a bundle: when it was made (UTC, to the second) and the start of its content hash, as in
 * `20261122T004500Z-1b9f03ac`.
 */
export function createBundleVersion(date: Date, contentHash: string): string {
  const time = date.toISOString().replace(/\.\d+/, '').replaceAll(/[-:]/g, '');
  return `${time}-${contentHash.slice(0, 8)}`;
}

/** SHA-256 (hex) over the paths and hashes of a bundle's files: equal for equal contents, in whatever order. */
export function hashContents(files: Readonly<Record<string, { readonly sha256: string }>>): string {
  const lines = Object.entries(files).map(([path, { sha256 }]) => `${sha256}  ${path}\n`);
  return createHash('sha256').update(lines.sort().join('')).digest('hex');
}

/** True for what a version looks like. */
export function isBundleVersion(name: string): boolean {
  return VERSION_PATTERN.test(name);
}
