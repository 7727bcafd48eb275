import type { Static } from 'typebox';
import type { BundleInService } from '../http/schemas/bundle.js';
import type { InspectAnswer } from '../http/schemas/inspect.js';

export type { InspectAnswer, InspectBody, ItemSearchAnswer } from '../http/schemas/inspect.js';

/** The answer of `GET /bundle`. */
export type Bundle = Static<typeof BundleInService>;

export type Candidate = NonNullable<InspectAnswer['candidates']>[number];
export type Place = InspectAnswer['slate'][number];
export type ExplainedItem = InspectAnswer['items'][number];
export type HistoryEntry = InspectAnswer['history'][number];
export type Contributions = NonNullable<ExplainedItem['contributions']>;
export type Feature = NonNullable<ExplainedItem['features']>[string];
export type Verdict = ExplainedItem['verdict'];
export type Release = InspectAnswer['release'];
