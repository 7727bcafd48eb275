import { isInShare } from '../domain/is-in-share.js';
import type { ExperimentRelease } from '../domain/release.js';
import type { Degradation, SourceAttribution, Strategy } from '../domain/slate.js';
import { samplingIdOf, type Subject } from '../domain/subject.js';

/** One slate that was served, or scored in shadow: a line of the impression log. */
export interface Impression {
  /** When the answer was out, ISO 8601 in UTC. */
  readonly time: string;
  readonly requestId: string;
  /** Which answer it was; absent in shadow, which answered nobody. */
  readonly slateId?: string;
  /** Whom it was for; absent where it was for no user. */
  readonly user?: string;
  /** Of which visitor, where it has a session. */
  readonly session?: string;
  /** Which item it was started from, where it was one. */
  readonly item?: string;
  readonly scenario: string;
  readonly bundle: string;
  /** Absent where it was the bundle in service; `shadow` was shown to nobody. */
  readonly release?: ExperimentRelease;
  readonly strategy: Strategy;
  readonly degraded: readonly Degradation[];
  /** Items asked for. */
  readonly limit: number;
  /** `hit`, `joined`, `miss` or `off`. */
  readonly cache: string;
  /** From the first byte of the request to the last of the answer; in shadow, of the computation with its waiting. */
  readonly milliseconds: number;
  readonly items: readonly ShownItem[];
}

/** An item of a logged slate. */
export interface ShownItem {
  readonly id: string;
  /** 1-based. */
  readonly position: number;
  /** Ranking score. */
  readonly score: number;
  /** What found it, with its own score and rank; absent where the answer came from a process that logs nothing. */
  readonly sources?: readonly SourceAttribution[];
}

/** The share of the feature log is drawn with it too. */
export const SAMPLING_PURPOSE = 'impressions';

/**
 * True for a subject whose slates are logged. Users are chosen and not requests: what one user was shown over
 * time stays whole, and logs of two processes, days or bundles are of the same users. What is for no user is
 * chosen by its request.
 * @param share 0 to 1
 */
export function isSampled(subject: Subject, requestId: string, share: number): boolean {
  return isInShare(samplingIdOf(subject, requestId), share, { purpose: SAMPLING_PURPOSE });
}
