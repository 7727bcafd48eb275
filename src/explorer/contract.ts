import type { Static } from 'typebox';
import type { BundleInService } from '../http/schemas/bundle.js';
import type { InspectAnswer } from '../http/schemas/inspect.js';

/** The bodies of calls, as the server has them. */
export type { InspectAnswer, InspectBody, ItemSearchAnswer } from '../http/schemas/inspect.js';

/** The answer of `GET /bundle`. */
export type Bundle = Static<typeof BundleInService>;

/** One row of the table of candidates. */
export type Candidate = NonNullable<InspectAnswer['candidates']>[number];
/** One place of a list. */
export type Place = InspectAnswer['slate'][number];
/** An item that was asked about. */
export type ExplainedItem = InspectAnswer['items'][number];
/** One item of a history. */
export type HistoryEntry = InspectAnswer['history'][number];
/** What groups of features add to a score. */
export type Contributions = NonNullable<ExplainedItem['contributions']>;
/** One value that the ranker read. */
export type Feature = NonNullable<ExplainedItem['features']>[string];
/** Why an item is where it is. */
export type Verdict = ExplainedItem['verdict'];
/** Whose bundle answers. */
export type Release = InspectAnswer['release'];
