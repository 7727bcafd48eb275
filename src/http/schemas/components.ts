import type { TSchema } from 'typebox';
import { EventsAnswer } from './events.js';
import { Liveness, Readiness } from './health.js';
import { PopularAnswer } from './popular.js';
import { Dropped, PostRecommendationsAnswer } from './post-recommendations.js';
import { Problem } from './problem.js';
import { RecommendationsAnswer } from './recommendations.js';
import { SimilarItemsAnswer } from './similar-items.js';
import { Attributes, Degradation, MoveReason, SlateItem, SourceAttribution } from './slate.js';

/** The schemas that the OpenAPI document of the public listener names, in its order. */
export const PUBLIC_COMPONENTS: readonly TSchema[] = [
  RecommendationsAnswer,
  PostRecommendationsAnswer,
  SimilarItemsAnswer,
  PopularAnswer,
  EventsAnswer,
  SlateItem,
  Attributes,
  SourceAttribution,
  MoveReason,
  Degradation,
  Dropped,
  Liveness,
  Readiness,
  Problem,
];
