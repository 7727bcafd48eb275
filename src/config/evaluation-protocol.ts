/** The ways to split interactions for an evaluation. */
export const EVALUATION_PROTOCOLS = ['rolling', 'chronological', 'last-out', 'random'] as const;

/** Cuts at points in time, each user's rows by time, each user's last row, or a seeded draw of each item's rows. */
export type EvaluationProtocol = (typeof EVALUATION_PROTOCOLS)[number];

/** What may judge: a protocol, or a file of held-out pairs. */
export type JudgingProtocol = EvaluationProtocol | 'frozen';

/** The ways to split interactions for the rows that a ranker learns from. */
export const TRAINING_PROTOCOLS = ['rolling', 'chronological', 'random'] as const;

/** One of `TRAINING_PROTOCOLS`. */
export type TrainingProtocol = (typeof TRAINING_PROTOCOLS)[number];
