import type {
  EvaluationResult,
  EvaluationRow,
  RankingKind,
  Segment,
} from '../../../src/offline/evaluation/evaluation-result.js';
import type { ReplayArm } from '../../../src/offline/evaluation/replay/replay-split.js';
import type { ReplayedArm, ReplayFigures } from '../../../src/offline/evaluation/replay/summarise-replay.js';
import type { Estimate } from '../../../src/offline/protocol/mean-estimate.js';

const QUERIES = [950, 971, 919, 871];

/** A rolling evaluation that looks like one on real data; tests override what they are about. */
export function sampleResult(overrides: Partial<EvaluationResult> = {}): EvaluationResult {
  return {
    protocol: 'rolling',
    trainingProtocol: 'rolling',
    dataset: {
      name: 'films',
      users: 1_234,
      items: 2_345,
      interactions: 53_556,
      times: { hasOrder: true, hasDates: true, orderedShare: 0.9 },
    },
    k: 10,
    splits: QUERIES.map((queries, week) => ({
      label: `2013-08-${String(4 + 7 * week).padStart(2, '0')}`,
      knownUntil: 1_375_574_400 + 7 * 86_400 * week,
      trainRows: 44_944 + 2_200 * week,
      testRows: 2 * queries,
      tiedRows: 0,
      queries,
    })),
    rows: [
      sampleRow('random', 'baseline', 0.0021),
      sampleRow('popular', 'baseline', 0.0679),
      sampleRow('als', 'source', 0.0712),
      sampleRow('similar-items', 'source', 0.0745),
      sampleRow('trending', 'source', 0.1371),
      sampleRow('fusion', 'fusion', 0.1044),
      sampleRow('two-stage', 'two-stage', 0.1652),
    ],
    comparison: {
      twoStage: 'two-stage',
      bestSingle: 'trending',
      lift: 0.1652 / 0.1371 - 1,
      difference: 0.0281,
      low: 0.0231,
      high: 0.0334,
      confidence: 0.95,
      samples: 1000,
    },
    skippedSources: [],
    candidates: {
      meanCount: 231.4,
      recall: { mean: 0.612, standardError: 0.006 },
      ndcgCeiling: 0.691,
      sources: [
        { name: 'als', share: 0.41, recall: 0.344, uniqueRecall: 0.051 },
        { name: 'similar-items', share: 0.38, recall: 0.297, uniqueRecall: 0.043 },
        { name: 'popular', share: 0.22, recall: 0.31, uniqueRecall: 0.012 },
        { name: 'trending', share: 0.24, recall: 0.452, uniqueRecall: 0.118 },
      ],
    },
    segmentations: [
      {
        by: 'items known of the user',
        segments: [
          sampleSegment('0', { queries: 35, twoStage: 0.121, bestSingle: 0.118 }),
          sampleSegment('1–5', { queries: 87, twoStage: 0.144, bestSingle: 0.131 }),
          sampleSegment('6–20', { queries: 1_712, twoStage: 0.174, bestSingle: 0.142 }),
          sampleSegment('21–100', { queries: 1_640, twoStage: 0.163, bestSingle: 0.137 }),
          sampleSegment('>100', { queries: 237, twoStage: 0.128, bestSingle: 0.098 }),
        ],
      },
      {
        by: 'items to find',
        segments: [
          sampleSegment('well-known only', { queries: 3_100, twoStage: 0.181, bestSingle: 0.15 }),
          sampleSegment('new or rare only', { queries: 611, twoStage: 0.012, bestSingle: 0.014 }),
        ],
      },
      {
        by: 'user country',
        segments: [
          sampleSegment('fr', { queries: 2_000, twoStage: 0.166, bestSingle: 0.138 }),
          sampleSegment('not known', { queries: 1_711, twoStage: 0.164, bestSingle: 0.136 }),
        ],
      },
    ],
    queries: { fingerprint: 'f'.repeat(64), split: [], user: [], ndcg: {} },
    ranker: {
      objective: 'lambdarank',
      trees: 63,
      validationMetric: 'nDCG@10',
      validationCurve: Array.from(
        { length: 84 },
        (_, tree) => 0.172 - 0.05 * Math.exp(-tree / 15) - ((tree - 63) / 900) ** 2,
      ),
      featureImportance: [
        'trending.score',
        'popularity share, 7 days',
        'acceleration',
        'fusion.score',
        'als.score',
        'similar-items.score',
        'item age, days',
        'popularity share, 30 days',
        'genre affinity',
        'year gap',
        'als.rank',
        'trending.rank',
        'similar-items.rank',
        'popularity share, all',
        'activity',
        'history length',
        'days since last',
        'title length',
        'popular.score',
        'popular.rank',
        'mean value',
        'is series',
        'genre count',
      ].map((feature, rank) => ({ feature, gain: 9_000 * 0.82 ** rank })),
      featureGroups: [
        { group: 'retrieval', features: 8, gain: 30_000 },
        { group: 'retrieval: als', features: 2, gain: 6_000 },
        { group: 'item', features: 9, gain: 18_000 },
      ],
    },
    timings: [
      { step: 'training', seconds: 41.3 },
      { step: 'answering', seconds: 12.8 },
    ],
    seed: 42,
    createdAt: '2026-01-15T10:20:30.000Z',
    command: 'shortlist evaluate --dataset films --protocol rolling',
    ...overrides,
  };
}

/** A replay in which the user's own events help, and those of others do not. */
export function sampleReplay(): ReplayFigures {
  const arm = (name: ReplayArm, hits: number, lead: number): ReplayedArm => {
    const over = { difference: lead, low: lead - 0.008, high: lead + 0.008, confidence: 0.95, samples: 1000 };
    return {
      arm: name,
      hitRate: { mean: hits, standardError: 0.0033 },
      mrr: { mean: hits / 3, standardError: 0.0015 },
      over: {
        hitRate: over,
        mrr: { ...over, difference: lead / 2, low: lead / 2 - 0.004, high: lead / 2 + 0.004 },
      },
    };
  };
  return {
    limits: { users: 1000, events: 20 },
    walks: 3_711,
    events: 9_876,
    leftOut: { walks: 12, events: 345 },
    asks: 9_001,
    arms: [arm('frozen', 0.1069, 0), arm('live', 0.1578, 0.0509), arm('control', 0.0838, -0.0231)],
  };
}

function sampleRow(name: string, kind: RankingKind, ndcg: number): EvaluationRow {
  const estimate = (mean: number): Estimate => ({ mean, standardError: Math.sqrt(mean / 60_000) });
  return {
    name,
    kind,
    metrics: {
      queries: QUERIES.reduce((sum, queries) => sum + queries, 0),
      ndcg: estimate(ndcg),
      map: estimate(0.66 * ndcg),
      precision: estimate(0.29 * ndcg),
      recall: estimate(1.6 * ndcg),
      mrr: estimate(1.02 * ndcg),
      hitRate: estimate(2.4 * ndcg),
      coverage: kind === 'baseline' ? 0.017 : 0.183,
      popularityShare: 0.92,
      novelty: kind === 'baseline' ? 7.31 : 9.46,
      diversity: 0.731,
    },
    ndcgBySplit: QUERIES.map((_, week) => ({
      mean: ndcg * (1 + 0.06 * Math.sin(2.3 * week + name.length)),
      standardError: Math.sqrt(ndcg / 15_000),
    })),
    liftOverBestSingle: ndcg / 0.1371 - 1,
  };
}

function sampleSegment(
  label: string,
  segment: { queries: number; twoStage: number; bestSingle: number },
): Segment {
  const estimate = (mean: number): Estimate => ({
    mean,
    standardError: Math.sqrt(mean / segment.queries / 10),
  });
  const difference = segment.twoStage - segment.bestSingle;
  return {
    label,
    queries: segment.queries,
    twoStage: estimate(segment.twoStage),
    bestSingle: estimate(segment.bestSingle),
    difference,
    low: difference - 0.4 / Math.sqrt(segment.queries),
    high: difference + 0.4 / Math.sqrt(segment.queries),
    confidence: 0.95,
    samples: 1000,
  };
}
