/** Which of the bundles that a server has open made a slate: the one in service, or one that is tried beside it. */
export type Release = 'stable' | TrialRelease;

/** Answers some of the users, or is asked beside the answer and answers nobody. */
export type TrialRelease = 'canary' | 'shadow';
