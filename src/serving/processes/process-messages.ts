import type { OverridesDocument } from '../../config/override-config.js';
import type { OverrideCheck, Overrides } from '../../rules/overrides.js';
import type { InspectionJson, InspectionRequest } from '../../pipeline/inspection/inspection.js';
import type { FoundItems, ItemSearch } from '../../pipeline/inspection/search-items.js';
import type { FeatureView } from '../../features/feature-view.js';
import type { PackedError } from '../../domain/packed-error.js';
import type { MetricsSnapshot } from '../../observability/metrics/metrics.js';
import type { QuarantineChange } from '../compute/quarantine.js';
import type { ServiceDescription } from '../bundle-admin.js';

/** The bundle that a process serves, as its supervisor tells of it. */
export interface ProcessBundle {
  readonly description: ServiceDescription;
  readonly views: Readonly<Record<string, FeatureView>>;
}

/** What a supervisor tells a server process: to say that it lives, what requests another process met, which overrides are in force, to listen, to stop, or to answer a question. */
export type ProcessOrder =
  | { readonly order: 'ping' }
  | { readonly order: 'quarantine'; readonly change: QuarantineChange }
  | { readonly order: 'overrides'; readonly overrides: Overrides }
  | { readonly order: 'listen' }
  | { readonly order: 'stop' }
  | { readonly order: 'answer'; readonly id: number; readonly asked: ProcessQuestion };

/** A question, with what it is about. */
export type ProcessQuestion = {
  [Q in keyof ProcessAnswers]: {
    readonly question: Q;
    readonly about: Q extends keyof QuestionSubjects ? QuestionSubjects[Q] : undefined;
  };
}[keyof ProcessAnswers];

/** What the questions are about that are about something. */
export interface QuestionSubjects {
  readonly overrides: OverridesDocument;
  readonly inspect: InspectionRequest;
  readonly items: ItemSearch;
}

/** What it can be asked. */
export interface ProcessAnswers {
  /** Whether its event loop turns. */
  readonly alive: boolean;
  /** To open what the channel points at, and swap it in. */
  readonly reload: ProcessBundle;
  /** The same where that is another bundle than is open. */
  readonly follow: ProcessBundle;
  readonly metrics: MetricsSnapshot;
  /** What its bundle has to say of the document that the question is about. */
  readonly overrides: OverrideCheck;
  /** How an answer comes about. */
  readonly inspect: InspectionJson;
  /** Items by id or title. */
  readonly items: FoundItems;
}

/** What a server process says: that it lives, that it cannot serve and ends, that its bundle is open, that what is tried beside it is another, that it listens, and what it answers. */
export type ProcessReport =
  | { readonly report: 'alive' }
  | { readonly report: 'refused'; readonly error: PackedError }
  | { readonly report: 'quarantine'; readonly change: QuarantineChange }
  | { readonly report: 'open'; readonly bundle: ProcessBundle }
  | { readonly report: 'changed'; readonly bundle: ProcessBundle }
  | { readonly report: 'serving'; readonly url: string }
  | {
      readonly report: 'answered';
      readonly id: number;
      readonly answer: ProcessAnswers[keyof ProcessAnswers];
    }
  | { readonly report: 'failed'; readonly id: number; readonly error: PackedError };
