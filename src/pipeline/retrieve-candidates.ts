import type { CandidateSet, RetrievalQuery, Retrieval } from '../domain/candidate.js';
import { ShortlistError } from '../domain/errors.js';
import { visitorIdOf } from '../domain/subject.js';
import type { CandidateEngine } from './engine.js';
import type { Execution } from './execution.js';
import type { Query } from './hydrate-query.js';
import type { UserReading } from './read-user-rows.js';
import type { StageRun } from './run-stage.js';
import { LAST_RESORT, mergeForRules } from './supply-rules.js';

/**
 * Stage 1: asks every source of the scenario and merges what they answer by the scenario's quotas, or by the share `depth` of them
 * and of the whole set, which has more than `limit` while there is more: who reads on has to know. Each source is asked for
 * as many as the whole set holds, so that places which one leaves free go to the next best of another. A source that
 * fails is left out, and the run says so; one that training skipped, as the manifest says, is not there to be asked. What the rules of the
 * scenario need comes on top.
 *
 * @throws ShortlistError SOURCE_FAILED when every source failed
 */
export async function retrieveCandidates(
  query: Query,
  engine: CandidateEngine,
  options: { user: UserReading; run: StageRun } & Pick<Execution, 'depth' | 'deadline'>,
): Promise<CandidateSet> {
  const { user, run, depth = 1, deadline } = options;
  const { scenario } = query;
  const limit = countAsked(query, depth);
  const asking = { ...toRetrievalQuery(query, limit), readUserValues: user.values, deadline };
  const asked = Object.entries(scenario.sources).flatMap(([name, quota]) => {
    const source = engine.sources.get(name);
    return source === undefined ? [] : [{ source, quota }];
  });
  const answers = await Promise.all(
    asked.map(({ source, quota }) =>
      run.stage<Answer | undefined>(
        `candidates.${source.name}`,
        async () => ({ quota, retrieval: await source.retrieve(asking) }),
        () => undefined,
      ),
    ),
  );
  const answered = answers.filter((answer) => answer !== undefined);
  if (answered.length === 0) throw new ShortlistError('SOURCE_FAILED', 'Every candidate source failed.');
  return mergeForRules(
    answered.map((answer) => answer.retrieval),
    {
      limit,
      quotas: answered.map((answer) => Math.ceil(depth * answer.quota)),
      query,
      asking,
      lastResort: engine.sources.get(LAST_RESORT),
    },
  );
}

/** How many items each source is asked for. */
export function countAsked({ scenario, limit }: Pick<Query, 'scenario' | 'limit'>, depth = 1): number {
  return Math.max(Math.ceil(depth * scenario.maxCandidates), limit + 1);
}

/** A query as candidate sources take it. */
export function toRetrievalQuery(
  { subject, userIndex, history, moment, eligible }: Query,
  limit: number,
): RetrievalQuery {
  const userId = visitorIdOf(subject) ?? subject.itemId ?? '';
  return { userId, userIndex, history, now: moment.now, eligible, limit };
}

interface Answer {
  readonly quota: number;
  readonly retrieval: Retrieval;
}
