/** Who trained a bundle, and when. */
export interface Provenance {
  /** ISO 8601. */
  readonly createdAt: string;
  readonly codeVersion: string;
  readonly gitCommit?: string | undefined;
}

/** What a manifest says of it. */
export function describeProvenance({ gitCommit, ...known }: Provenance): Provenance & { gitCommit?: string } {
  return gitCommit === undefined ? known : { ...known, gitCommit };
}
