/** The ways to split interactions for an evaluation, and for the training rows of a ranker. */
export const EVALUATION_PROTOCOLS = ['rolling', 'chronological', 'random'] as const;

/** Cuts at points in time, each user's rows by time, or a seeded draw of each item's rows. */
export type EvaluationProtocol = (typeof EVALUATION_PROTOCOLS)[number];
