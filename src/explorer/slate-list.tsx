import type { VNode } from 'preact';
import type { Place } from './contract.js';
import { formatScore } from './format.js';
import { ItemButton } from './item-name.js';
import { describeReason } from './describe-reason.js';

/** A list as it is shown, each place with its score and what moved it. */
export function SlateList(props: {
  slate: readonly Place[];
  selected?: string | undefined;
  explain: (itemId: string) => void;
}): VNode {
  const { slate, selected = '', explain } = props;
  if (slate.length === 0) return <p>The list is empty: nothing is left that may be shown.</p>;
  return (
    <ol class="slate">
      {slate.map(({ itemId, title, position, score, reasons }) => (
        <li key={itemId} class={itemId === selected ? 'selected' : undefined}>
          <span class="place" aria-hidden="true">
            {position}
          </span>
          <ItemButton itemId={itemId} title={title} isSelected={itemId === selected} explain={explain} />
          {reasons.length > 0 && <Moves reasons={reasons} />}
          <span class="score" title="Ranking score">
            {formatScore(score)}
          </span>
        </li>
      ))}
    </ol>
  );
}

function Moves({ reasons }: Pick<Place, 'reasons'>): VNode {
  return (
    <span class="moves">
      {reasons.map((reason, index) => (
        <span key={index} class="chip" title={describeReason(reason)}>
          {reason.rule} {reason.from} → {reason.to}
        </span>
      ))}
    </span>
  );
}
