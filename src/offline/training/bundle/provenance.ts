/** The origin of a bundle: by which program and commit it was trained, and when. */
export interface Provenance {
  /** ISO 8601. */
  readonly createdAt: string;
  readonly codeVersion: string;
  readonly gitCommit?: string | undefined;
}

/** The origin of a bundle as its manifest states it. */
export function describeProvenance({ gitCommit, ...known }: Provenance): Provenance & { gitCommit?: string } {
  return gitCommit === undefined ? known : { ...known, gitCommit };
}
