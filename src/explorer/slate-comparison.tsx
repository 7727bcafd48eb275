import type { VNode } from 'preact';
import { compareSlates, type Comparison } from './compare-slates.js';
import type { InspectAnswer, Place } from './contract.js';
import { formatAmount } from './format.js';
import { ItemButton } from './item-name.js';
import { Degraded } from './request-line.js';

/** Both lists side by side, with a line for each item that is in both. */
export function SlateComparison(props: {
  before: InspectAnswer;
  after: InspectAnswer | undefined;
  isAsking: boolean;
  explain: (itemId: string, isUnderChanges: boolean) => void;
}): VNode {
  const { before, after, isAsking, explain } = props;
  const comparison = after === undefined ? undefined : compareSlates(before.slate, after.slate);
  const rows = Math.max(before.slate.length, after?.slate.length ?? 0);
  return (
    <section class="card">
      <h2>Both lists</h2>
      <p role="status" class="summary">
        {comparison === undefined
          ? isAsking
            ? 'Asking…'
            : 'Change something, then compare.'
          : summarise(comparison, before.slate.length)}
      </p>
      {after !== undefined && <Degraded answer={after} />}
      {after !== undefined && after.bundle !== before.bundle && (
        <p class="note">
          Of two bundles: <code>{before.bundle}</code> and <code>{after.bundle}</code>.
        </p>
      )}
      <div class="comparison">
        <h3>As it is</h3>
        <h3>What if</h3>
        <Side
          slate={before.slate}
          label="The list as it is"
          mark={(id) => (comparison?.gone.includes(id) ? 'gone' : '')}
          explain={(itemId) => explain(itemId, false)}
        />
        <Lines comparison={comparison} rows={rows} />
        {after === undefined ? (
          <p class="quiet empty">Nothing to compare with yet.</p>
        ) : (
          <Side
            slate={after.slate}
            label="The list with the changes"
            mark={(id) => (comparison!.newcomers.includes(id) ? 'new' : '')}
            explain={(itemId) => explain(itemId, true)}
          />
        )}
      </div>
    </section>
  );
}

function Side(props: {
  slate: readonly Place[];
  label: string;
  mark: (itemId: string) => 'gone' | 'new' | '';
  explain: (itemId: string) => void;
}): VNode {
  const { slate, label, mark, explain } = props;
  return (
    <ol class="side" aria-label={label}>
      {slate.map(({ itemId, title, position }) => (
        <li key={itemId} class={mark(itemId)}>
          <span class="place" aria-hidden="true">
            {position}
          </span>
          <ItemButton itemId={itemId} title={title} explain={explain} />
          {mark(itemId) !== '' && (
            <span class={mark(itemId) === 'new' ? 'chip good' : 'chip bad'}>{mark(itemId)}</span>
          )}
        </li>
      ))}
    </ol>
  );
}

function Lines({ comparison, rows }: { comparison: Comparison | undefined; rows: number }): VNode {
  const y = (place: number): number => 10 * (place - 0.5);
  return (
    <svg
      class="lines"
      viewBox={`0 0 100 ${Math.max(1, rows) * 10}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      {comparison?.kept.map(({ itemId, from, to }) => (
        <path
          key={itemId}
          class={from === to ? 'same' : from > to ? 'up' : 'down'}
          d={`M0,${y(from)} C50,${y(from)} 50,${y(to)} 100,${y(to)}`}
        />
      ))}
    </svg>
  );
}

function summarise({ kept, newcomers, gone, moved }: Comparison, count: number): string {
  if (newcomers.length === 0 && gone.length === 0 && moved === 0) return 'Both lists are the same.';
  const stay = kept.length === 0 ? 'None' : `${kept.length} of ${formatAmount(count, 'item')}`;
  const parts = [
    `${stay} ${kept.length === 1 ? 'stays' : 'stay'}`,
    ...(moved === 0 ? [] : [`${moved} of them at another place`]),
    newcomers.length === 0 ? 'no newcomers' : formatAmount(newcomers.length, 'newcomer'),
  ];
  return `${parts.join(', ')}.`;
}
