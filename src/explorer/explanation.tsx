import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { ExplainedItem, InspectAnswer, Verdict } from './contract.js';
import { FeaturesTable } from './features-table.js';
import { formatCount, formatScore } from './format.js';
import { ItemName } from './item-name.js';
import { Waterfall } from './waterfall.js';
import { Scroll } from './scroll.js';

const VERDICTS: Readonly<Record<Verdict, readonly [text: string, tone: 'good' | 'warn' | 'bad']>> = {
  shown: ['In the list', 'good'],
  moved_by_rule: ['Pushed off the list by a rule', 'warn'],
  ranked_below: ['Ranked below', 'warn'],
  cut_in_merge: ['Cut in the merge', 'warn'],
  not_found: ['Found by no source', 'warn'],
  removed_by_rule: ['Taken out by a rule', 'bad'],
  excluded: ['Left out by the request', 'bad'],
  filtered: ['Taken out by a filter', 'bad'],
  unknown_item: ['Not in the catalogue', 'bad'],
};

/** Everything that is known of why an item is where it is. */
export function Explanation({ item, answer }: { item: ExplainedItem; answer: InspectAnswer }): VNode {
  const { verdict, detail, rankedAt, shownAt, sources, features, contributions } = item;
  const [text, tone] = VERDICTS[verdict] ?? [verdict, 'warn'];
  const heading = useRef<HTMLHeadingElement>(null);
  // What was chosen elsewhere is gone from the page, and the focus with it.
  useEffect(() => {
    if (document.activeElement === document.body) heading.current?.focus();
  }, []);
  const unusual = answer.degraded.length > 0;
  return (
    <>
      <section class={`card verdict ${tone}`}>
        <h2 class="item-title" tabIndex={-1} ref={heading}>
          <ItemName itemId={item.itemId} title={item.title} />
        </h2>
        <p>
          <span class={`badge ${tone}`} data-verdict={verdict}>
            {text}
          </span>
        </p>
        <p class="detail" dir="auto">
          {detail}
        </p>
        <dl class="facts">
          {shownAt !== undefined && <Fact name="Place in the list" value={String(shownAt)} />}
          {rankedAt !== undefined && (
            <Fact name="Place by score" value={`${rankedAt} of ${formatCount(answer.candidateCount)}`} />
          )}
          {item.score !== undefined && <Fact name="Score" value={formatScore(item.score)} />}
          {item.fusion !== undefined && <Fact name="Fusion" value={formatScore(item.fusion, 4)} />}
        </dl>
        {unusual && (
          <p class="note warn">
            This request was degraded, so the answer may be another the next time:{' '}
            {answer.degraded.map(({ stage, reason }) => `${stage} (${reason})`).join(', ')}.
          </p>
        )}
      </section>
      {rankedAt !== undefined && <Score item={item} answer={answer} />}
      {sources !== undefined && sources.length > 0 && <SourceRanks sources={sources} />}
      {features !== undefined && Object.keys(features).length > 0 && (
        <section class="card">
          <h2>What the ranker read</h2>
          <FeaturesTable features={features} contributions={contributions?.groups} />
        </section>
      )}
    </>
  );
}

/** What made the score of a candidate; others have none. */
function Score({ item, answer }: { item: ExplainedItem; answer: InspectAnswer }): VNode | null {
  const { contributions } = item;
  if (contributions === undefined && answer.withoutContributions === undefined) return null;
  return (
    <section class="card">
      <h2>What made the score</h2>
      {contributions === undefined ? (
        <p>{answer.withoutContributions}</p>
      ) : (
        <Waterfall contributions={contributions} />
      )}
    </section>
  );
}

function Fact({ name, value }: { name: string; value: string }): VNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function SourceRanks({ sources }: { sources: NonNullable<ExplainedItem['sources']> }): VNode {
  return (
    <section class="card">
      <h2>Where each source has it</h2>
      <Scroll label="Ranks in the sources">
        <table>
          <thead>
            <tr>
              <th scope="col">Source</th>
              <th scope="col" class="number">
                Rank
              </th>
              <th scope="col" class="number">
                Of
              </th>
              <th scope="col" class="number">
                It gave
              </th>
              <th scope="col">Found</th>
            </tr>
          </thead>
          <tbody>
            {sources.map(({ name, rank, of, found }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td class="number">{rank === undefined ? '–' : formatCount(rank)}</td>
                <td class="number">{of === undefined ? '–' : formatCount(of)}</td>
                <td class="number">{formatCount(found)}</td>
                <td>
                  {rank === undefined ? (
                    <span class="quiet">does not know it</span>
                  ) : rank <= found ? (
                    <span class="chip good">found</span>
                  ) : (
                    <span class="chip">too far down</span>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </section>
  );
}
