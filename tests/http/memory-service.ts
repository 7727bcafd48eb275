import type { OverridesDocument } from '../../src/config/override-config.js';
import { ShortlistError } from '../../src/domain/errors.js';
import { hashId } from '../../src/domain/id-table.js';
import type { FeatureView } from '../../src/features/feature-view.js';
import type { Degradation, DroppedCandidate, SlateItem } from '../../src/domain/slate.js';
import type { OverrideCheck } from '../../src/rules/overrides.js';
import type { SlateReport, RecommendationRequest } from '../../src/pipeline/recommendation-request.js';
import type {
  Inspection,
  InspectionJson,
  InspectionRequest,
} from '../../src/pipeline/inspection/inspection.js';
import type { FoundItems, ItemSearch } from '../../src/pipeline/inspection/search-items.js';
import type { BundleAdmin, BundleDescription } from '../../src/serving/bundle-admin.js';
import { type Answer, type Recommender, type Run, toAnswer } from '../../src/serving/recommender.js';
import type { RequestExamples } from '../../src/serving/request-examples.js';

interface Movie {
  readonly itemId: string;
  readonly title: string;
  readonly genres: readonly string[];
}

const MOVIES: readonly Movie[] = Array.from({ length: 150 }, (_, index) => ({
  itemId: String(index + 1),
  title: `Movie ${index + 1} (${1950 + (index % 70)})`,
  genres: index % 3 === 0 ? ['Comedy', 'Sci-Fi: Classic'] : ['Drama'],
}));

/** The HTTP layer has no use for them. */
const SCENARIOS = ['home', 'popular', 'similar'];

/** Users with a history, by what they saw. */
const SEEN = new Map([['42', new Set(['1', '2', '3'])]]);

export const BUNDLE: BundleDescription = {
  version: '20240601T120000Z-1a2b3c4d',
  createdAt: '2024-06-01T12:00:00.000Z',
  dataset: 'demo',
  items: MOVIES.length,
  users: SEEN.size,
  scenarios: SCENARIOS,
  filterableAttributes: ['genres'],
  contextFields: ['device'],
};

const EXAMPLES: RequestExamples = {
  userIds: ['42'],
  items: MOVIES.slice(3, 7).map(({ itemId, title }) => ({ itemId, attributes: { title } })),
  filters: [{ attribute: 'genres', kind: 'text', values: ['Drama', 'Comedy'] }],
  shown: ['title', 'genres', 'year', 'restored'],
  contextFields: [{ name: 'device', type: 'categorical', values: ['mobile'] }],
};

const INSPECTION = {
  answeredBy: 'home',
  history: [{ itemId: '1', time: '2024-06-01T12:00:00.000Z', value: 1, from: 'bundle' as const }],
  rules: [],
  sources: [],
  stages: [],
  moves: [],
  candidateCount: MOVIES.length,
};

/**
 * A recommender over a list in memory, in the order of the list, that keeps the contract of the port: it excludes, filters,
 * limits, explains and refuses like the real one. Its fields let a test choose what happens next.
 */
export class MemoryService implements Recommender, BundleAdmin {
  bundle: BundleDescription | undefined = BUNDLE;
  degraded: readonly Degradation[] = [];
  /** Thrown by the next calls instead of an answer. */
  failure: unknown;
  /** What a stage fell back over, for the log. */
  cause: unknown;
  #gate: Promise<void> = Promise.resolve();
  closed = false;
  readonly asked: RecommendationRequest[] = [];

  /** Holds every answer back until the function that comes back is called. */
  hold(): () => void {
    let release = (): void => undefined;
    this.#gate = new Promise((resolve) => {
      release = resolve;
    });
    return release;
  }

  /** What `views` gives while there is a bundle. */
  featureViews: Readonly<Record<string, FeatureView>> = {};

  views(): Readonly<Record<string, FeatureView>> | undefined {
    return this.bundle === undefined ? undefined : this.featureViews;
  }

  describe(): BundleDescription | undefined {
    return this.bundle;
  }

  /** What `examples` gives while there is a bundle. */
  requestExamples: RequestExamples = EXAMPLES;

  examples(): RequestExamples | undefined {
    return this.bundle === undefined ? undefined : this.requestExamples;
  }

  /** Items are unknown as in the real one; an attribute that is not filterable is refused. */
  async checkOverrides({ overrides }: OverridesDocument): Promise<OverrideCheck> {
    const lines = overrides.flatMap(({ hide, pin, boost }, index) => {
      const items = pin === undefined ? ((hide ?? boost)!.items ?? []) : [pin.item];
      const filters = (hide ?? pin ?? boost)!.when?.filter ?? [];
      return [
        ...items
          .filter((id) => MOVIES.every(({ itemId }) => itemId !== id))
          .map((id) => ({ unknown: `overrides.${index} names ${id}` })),
        ...filters
          .filter((filter) => !filter.startsWith('genres:'))
          .map((filter) => ({ ineffective: `overrides.${index}: ${filter}` })),
      ];
    });
    return {
      unknown: lines.flatMap((line) => ('unknown' in line ? [line.unknown!] : [])),
      ineffective: lines.flatMap((line) => ('ineffective' in line ? [line.ineffective!] : [])),
    };
  }

  readonly inspected: InspectionRequest[] = [];

  /** No stage is described: the HTTP layer looks into none. */
  async inspect(asked: InspectionRequest): Promise<InspectionJson> {
    this.inspected.push(asked);
    const { slate } = await this.record(asked.request);
    const inspection: Inspection = {
      ...INSPECTION,
      bundle: slate.bundle,
      release: asked.release,
      scenario: slate.scenario,
      strategy: slate.strategy,
      degraded: slate.degraded,
      slate: slate.items.map(({ itemId, position, score }) => ({ itemId, position, score, reasons: [] })),
      items: asked.about.map((itemId) => ({ itemId, verdict: 'unknown_item', detail: 'There is none.' })),
    };
    return JSON.stringify(inspection);
  }

  async findItems({ search, limit }: ItemSearch): Promise<FoundItems> {
    const items = MOVIES.filter(({ title }) => title.includes(search)).slice(0, limit);
    return { bundle: BUNDLE.version, items: items.map(({ itemId, title }) => ({ itemId, title })) };
  }

  /** There is nothing to keep answers in. */
  async recommend(request: RecommendationRequest, _run?: Run): Promise<Answer> {
    return toAnswer(await this.record(request), 'off');
  }

  async record(request: RecommendationRequest): Promise<SlateReport> {
    this.asked.push(request);
    await this.#gate;
    if (this.failure !== undefined) throw this.failure;
    if (this.bundle === undefined) throw new ShortlistError('NOT_READY', 'No bundle is open yet.');
    refuse(request);
    const movies = choose({ ...request, limit: Number.POSITIVE_INFINITY });
    const items = movies.slice(0, request.limit).map((movie, index) => toItem(movie, index, request));
    return {
      slate: {
        scenario: request.scenario,
        bundle: this.bundle.version,
        strategy: isKnown(request) ? 'personalised' : 'cold-start',
        degraded: this.degraded,
        items,
        hasMore: movies.length > items.length,
        ...(request.candidates && { dropped: drop(request) }),
      },
      stages: [
        { stage: 'candidates', milliseconds: 0.25, outcome: 'ok' },
        { stage: 'ranking', milliseconds: 0.5, outcome: this.cause ? 'fallback' : 'ok', cause: this.cause },
      ],
      // Every film is a candidate.
      candidateCount: MOVIES.length,
    };
  }

  async reload(): Promise<BundleDescription> {
    if (this.failure !== undefined) throw this.failure;
    this.bundle = { ...BUNDLE, version: '20240602T120000Z-5e6f7a8b' };
    return this.bundle;
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

function refuse({ scenario, subject, filters, fields = [] }: RecommendationRequest): void {
  if (!SCENARIOS.includes(scenario)) {
    throw new ShortlistError(
      'UNKNOWN_SCENARIO',
      `There is no scenario '${scenario}'. Scenarios: ${SCENARIOS.join(', ')}.`,
    );
  }
  if (subject.itemId !== undefined && !MOVIES.some(({ itemId }) => itemId === subject.itemId)) {
    throw new ShortlistError('ITEM_NOT_FOUND', `There is no item '${subject.itemId}'.`);
  }
  const unknown = filters.find(({ attribute }) => attribute !== 'genres');
  if (unknown !== undefined) {
    throw new ShortlistError(
      'UNKNOWN_ATTRIBUTE',
      `There is no filterable attribute '${unknown.attribute}'. Filterable: genres.`,
    );
  }
  const hidden = namesIn(fields).find((name) => !EXAMPLES.shown.includes(name));
  if (hidden !== undefined) throw new ShortlistError('UNKNOWN_ATTRIBUTE', `Cannot show '${hidden}'.`);
}

function namesIn(fields: readonly string[]): string[] {
  return fields.filter((text) => text !== '').flatMap((text) => text.split(','));
}

function choose({ subject, exclude, filters, limit, candidates, shown }: RecommendationRequest): Movie[] {
  const seen = subject.userId === undefined ? new Set() : (SEEN.get(subject.userId) ?? new Set());
  const wanted = filters.map(({ value }) => value);
  return MOVIES.filter(({ itemId }) => !seen.has(itemId) && !exclude.includes(itemId))
    .filter(({ itemId }) => itemId !== subject.itemId)
    .filter(({ itemId }) => shown?.includes(hashId(itemId)) !== true)
    .filter(({ itemId }) => candidates === undefined || candidates.includes(itemId))
    .filter(({ genres }) => wanted.length === 0 || wanted.some((value) => genres.includes(value)))
    .slice(0, limit);
}

function drop(request: RecommendationRequest): DroppedCandidate[] {
  const { shown: _, ...asked } = request;
  const shown = choose({ ...asked, limit: Number.POSITIVE_INFINITY }).map(({ itemId }) => itemId);
  return [...new Set(request.candidates)]
    .filter((itemId) => !shown.includes(itemId))
    .map((itemId) => ({
      itemId,
      reason: MOVIES.some((movie) => movie.itemId === itemId) ? 'ineligible' : 'unknown',
    }));
}

function toItem(movie: Movie, index: number, { explain, fields }: RecommendationRequest): SlateItem {
  // As Float32 scores arrive: 0.9 is 0.8999999761581421.
  const score = Math.fround(0.9 - index / 1000);
  const attributes = {
    title: movie.title,
    genres: movie.genres,
    year: 1950 + index,
    restored: index % 2 === 0,
  };
  const asked = fields && namesIn(fields);
  return {
    itemId: movie.itemId,
    position: index + 1,
    score,
    attributes: Object.fromEntries(
      Object.entries(attributes).filter(([name]) => asked === undefined || asked.includes(name)),
    ),
    ...(explain === 'none'
      ? {}
      : { sources: [{ name: 'popular', score: Math.fround(0.1), rank: index + 1 }] }),
    ...(explain === 'features' ? { features: { 'popular.score': Math.fround(0.1) } } : {}),
  };
}

function isKnown({ subject, sessionItems }: RecommendationRequest): boolean {
  const { userId, itemId } = subject;
  const isTouching = sessionItems !== undefined && sessionItems.length > 0;
  return isTouching || itemId !== undefined || (userId !== undefined && SEEN.has(userId));
}
