import type { VNode } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import type { Candidate, InspectAnswer } from './contract.js';
import { TextField } from './fields.js';
import { formatAmount, formatScore } from './format.js';
import { ItemButton } from './item-name.js';
import { sortCandidates, type CandidateColumn } from './sort-candidates.js';
import { Scroll } from './scroll.js';

const PAGE = 100;

/** Every candidate, to sort and to search. */
export function CandidatesTable(props: {
  candidates: readonly Candidate[];
  sources: InspectAnswer['sources'];
  explain: (itemId: string) => void;
}): VNode {
  const { candidates, sources, explain } = props;
  const [sort, setSort] = useState<{ column: CandidateColumn; isDown: boolean }>({
    column: 'rankedAt',
    isDown: false,
  });
  const [text, setText] = useState('');
  const [most, setMost] = useState(PAGE);
  const rows = useMemo(() => sortCandidates(candidates, sort, text), [candidates, sort, text]);
  const columns = sources.filter(({ found }) => found > 0).map(({ name }) => name);
  const sortBy = (column: CandidateColumn): void =>
    setSort((before) => ({ column, isDown: before.column === column ? !before.isDown : startsDown(column) }));
  const header = (column: CandidateColumn, title: string, isNumber = true): VNode => (
    <th
      scope="col"
      class={isNumber ? 'number' : undefined}
      aria-sort={sort.column !== column ? undefined : sort.isDown ? 'descending' : 'ascending'}
    >
      <button type="button" class="sort" onClick={() => sortBy(column)}>
        {title}
        <span aria-hidden="true">{sort.column !== column ? '' : sort.isDown ? ' ↓' : ' ↑'}</span>
      </button>
    </th>
  );
  return (
    <>
      <TextField label="Find among the candidates" value={text} set={setText} placeholder="Title or id" />
      <p class="hint" role="status">
        {rows.length === candidates.length
          ? `${formatAmount(rows.length, 'candidate')}. A number below a source is the rank there.`
          : `${rows.length} of ${formatAmount(candidates.length, 'candidate')}.`}
      </p>
      <Scroll label="Candidates" isTall>
        <table class="candidates">
          <thead>
            <tr>
              {header('rankedAt', 'Ranked')}
              {header('shownAt', 'Shown')}
              {header('title', 'Item', false)}
              {header('score', 'Score')}
              {header('fusion', 'Fusion')}
              {columns.map((name) => header(`source ${name}`, name))}
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, most).map((candidate) => (
              <tr key={candidate.itemId} class={candidate.shownAt === undefined ? undefined : 'shown'}>
                <td class="number">{candidate.rankedAt}</td>
                <td class="number">{candidate.shownAt ?? '–'}</td>
                <th scope="row">
                  <ItemButton itemId={candidate.itemId} title={candidate.title} explain={explain} />
                </th>
                <td class="number">{formatScore(candidate.score)}</td>
                <td class="number">{formatScore(candidate.fusion, 4)}</td>
                {columns.map((name) => (
                  <td key={name} class="number">
                    {candidate.ranks[name] ?? <span class="quiet">·</span>}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {rows.length > most && (
        <button type="button" onClick={() => setMost(most + 5 * PAGE)}>
          Show more ({rows.length - most} left)
        </button>
      )}
    </>
  );
}

function startsDown(column: CandidateColumn): boolean {
  return column === 'score' || column === 'fusion';
}
