import type { AttributeValue, Catalogue } from '../domain/catalogue.js';
import type { CandidateSet } from '../domain/candidate.js';
import type { SlateItem, SourceAttribution } from '../domain/slate.js';
import { selectTopK } from '../domain/top-k.js';
import type { Engine, FallbackEngine } from './engine.js';
import type { RankedCandidates } from './rank-candidates.js';
import type { RecommendationRequest } from './recommendation-request.js';

/** Features are named where they are assembled. */
type SlateEngine = FallbackEngine & Partial<Pick<Engine, 'assembler'>>;

/** The best `limit` candidates by ranking score; equal scores keep fusion order. */
export function buildSlateItems(
  ranked: RankedCandidates,
  options: { candidates: CandidateSet; request: RecommendationRequest; engine: SlateEngine },
): SlateItem[] {
  const { candidates, request, engine } = options;
  const { items: rows, scores } = selectTopK(ranked.scores, { limit: request.limit });
  return Array.from(rows, (row, index) => {
    const item = candidates.items[row]!;
    return {
      itemId: engine.catalogue.entities.idAt(item),
      position: index + 1,
      score: scores[index]!,
      attributes: describeItem(item, engine.catalogue),
      ...(request.explain === 'sources' && { sources: attribute(row, candidates) }),
      ...(request.attribution === true && { retrievedBy: attribute(row, candidates) }),
      ...(request.explain === 'features' && { features: nameFeatures(row, ranked, engine) }),
    };
  });
}

/** What answers show of an item, by index. */
export function describeItem(item: number, catalogue: Catalogue): Record<string, AttributeValue> {
  const shown: [string, AttributeValue][] = [];
  for (const attribute of catalogue.attributes) {
    const value = attribute.values[item];
    if (attribute.shown && value !== undefined) shown.push([attribute.name, value]);
  }
  return Object.fromEntries(shown);
}

function attribute(row: number, candidates: CandidateSet): SourceAttribution[] {
  const { retrievals, ranks, items } = candidates;
  return retrievals.flatMap((retrieval, column) => {
    const rank = ranks[row * retrievals.length + column]!;
    return rank === 0 ? [] : [{ name: retrieval.source, score: retrieval.scoreOf(items[row]!), rank }];
  });
}

/** The ranker's inputs by name; empty when no ranker scored this slate. */
function nameFeatures(
  row: number,
  { matrix }: RankedCandidates,
  { assembler }: SlateEngine,
): Record<string, number> {
  if (matrix === undefined || assembler === undefined) return {};
  const values = matrix.data.subarray(row * matrix.columns, (row + 1) * matrix.columns);
  return Object.fromEntries(assembler.featureOrder.map((name, column) => [name, values[column]!]));
}
