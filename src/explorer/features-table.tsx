import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { Feature } from './contract.js';
import { groupFeatures, isOutside, layOutRange, listMarks } from './feature-state.js';
import { formatContribution, formatNumber } from './format.js';
import { Scroll } from './scroll.js';

/** The values that the ranker read, by group, each with what training saw of it. */
export function FeaturesTable(props: {
  features: Readonly<Record<string, Feature>>;
  contributions: Readonly<Record<string, number>> | undefined;
}): VNode {
  const { features, contributions } = props;
  const all = Object.entries(features);
  const marked = all.filter(([, feature]) => listMarks(feature).length > 0);
  const [onlyMarked, setOnlyMarked] = useState(false);
  const groups = groupFeatures(onlyMarked ? marked : all, contributions);
  return (
    <>
      <p class="hint">The pale band is where nine of ten rows of training lie, the tick is this item.</p>
      <label class="check">
        <input
          type="checkbox"
          checked={onlyMarked}
          disabled={marked.length === 0}
          onChange={(event) => setOnlyMarked(event.currentTarget.checked)}
        />
        Only the {marked.length} unusual of {all.length}
      </label>
      <Scroll label="Values of features" isTall>
        <table class="features">
          <thead>
            <tr>
              <th scope="col">Feature</th>
              <th scope="col" class="number">
                Value
              </th>
              <th scope="col">Typical range</th>
              <th scope="col">Marks</th>
            </tr>
          </thead>
          {groups.map((group) => (
            <tbody key={group.name}>
              <tr class="family">
                <th scope="rowgroup" colSpan={4}>
                  {group.name}
                  {group.contribution !== undefined && (
                    <span class="quiet"> {formatContribution(group.contribution)}</span>
                  )}
                </th>
              </tr>
              {group.features.map(([label, feature]) => (
                <Row key={label} name={label} feature={feature} />
              ))}
            </tbody>
          ))}
        </table>
      </Scroll>
    </>
  );
}

function Row({ name, feature }: { name: string; feature: Feature }): VNode {
  const typical = feature.typical as readonly [number, number] | undefined;
  return (
    <tr>
      <th scope="row">{name}</th>
      <td class="number">
        {feature.label === undefined ? formatNumber(feature.value) : <bdi>{feature.label}</bdi>}
      </td>
      <td>
        {typical === undefined ? (
          <span class="quiet">{feature.label === undefined ? 'not known' : 'a category'}</span>
        ) : (
          <span class="range-cell">
            <Range value={feature.value} typical={typical} isOutside={isOutside(feature)} />
            <span class="range-text">
              {formatNumber(typical[0])} to {formatNumber(typical[1])}
            </span>
          </span>
        )}
      </td>
      <td>
        {listMarks(feature).map((mark) => (
          <span key={mark} class="chip warn">
            {mark}
          </span>
        ))}
      </td>
    </tr>
  );
}

function Range(props: { value: number; typical: readonly [number, number]; isOutside: boolean }): VNode {
  const { low, high, value } = layOutRange(props.value, props.typical);
  return (
    <svg class="range" viewBox="0 0 100 14" preserveAspectRatio="none" aria-hidden="true">
      <line class="axis" x1="0" x2="100" y1="7" y2="7" />
      <rect class="band" x={low} width={Math.max(1, high - low)} y="3" height="8" />
      <rect class={props.isOutside ? 'tick outside' : 'tick'} x={value - 1} width="2" y="0" height="14" />
    </svg>
  );
}
