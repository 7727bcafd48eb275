/** The role of the bundle that made a slate: `stable` is in service, the others are tried beside it. */
export type Release = 'stable' | TrialRelease;

/**
 * The role of a bundle that is tried: a canary answers some of the users; a shadow is asked the same after
 * the answer, and answers nobody.
 */
export type TrialRelease = 'canary' | 'shadow';
