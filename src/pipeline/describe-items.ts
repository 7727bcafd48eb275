import type { AttributeValue, Catalogue } from '../domain/catalogue.js';
import type { CandidateSet } from '../domain/candidate.js';
import type { Explain, SlateItem, SourceAttribution } from '../domain/slate.js';
import type { Engine, FallbackEngine } from './engine.js';
import type { RankedCandidates } from './rank-candidates.js';
import type { Selection } from './arrange.js';

/** Features are named where they are assembled. */
type DescribingEngine = Pick<FallbackEngine, 'catalogue'> & Partial<Pick<Engine, 'assembler'>>;

/** The selected candidates as a slate shows them. */
export function describeItems(
  { rows, scores, reasons }: Selection,
  options: {
    candidates: CandidateSet;
    ranked: RankedCandidates;
    /** Attributes to carry; all that answers show where it is absent. */
    fields?: ReadonlySet<string> | undefined;
    explain: Explain;
    attribution?: boolean | undefined;
    engine: DescribingEngine;
  },
): SlateItem[] {
  const { candidates, ranked, fields, explain, attribution, engine } = options;
  return Array.from(rows, (row, index) => {
    const item = candidates.items[row]!;
    return {
      itemId: engine.catalogue.entities.idAt(item),
      position: index + 1,
      score: scores[index]!,
      attributes: describeItem(item, engine.catalogue, fields),
      ...(explain === 'sources' && { sources: attribute(row, candidates) }),
      ...(attribution === true && { retrievedBy: attribute(row, candidates) }),
      ...(reasons && { reasons: reasons[index]! }),
      ...(explain === 'features' && { features: nameFeatures(row, ranked, engine) }),
    };
  });
}

/** The attributes of an item that answers show, or those of them that are among `fields`; `item` is its index. */
export function describeItem(
  item: number,
  catalogue: Catalogue,
  fields?: ReadonlySet<string>,
): Record<string, AttributeValue> {
  const shown: [string, AttributeValue][] = [];
  for (const attribute of catalogue.attributes) {
    const value = attribute.values[item];
    const isAsked = attribute.shown && (fields === undefined || fields.has(attribute.name));
    if (isAsked && value !== undefined) shown.push([attribute.name, value]);
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
  { assembler }: DescribingEngine,
): Record<string, number> {
  if (matrix === undefined || assembler === undefined) return {};
  const values = matrix.data.subarray(row * matrix.columns, (row + 1) * matrix.columns);
  return Object.fromEntries(assembler.featureOrder.map((name, column) => [name, values[column]!]));
}
