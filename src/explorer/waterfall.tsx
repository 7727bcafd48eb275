import type { VNode } from 'preact';
import type { Contributions } from './contract.js';
import { formatContribution, formatScore, LEAST_SHOWN } from './format.js';
import { layOutWaterfall } from './waterfall-steps.js';

/** Contributions of groups of features: bars from the baseline to the score. */
export function Waterfall({ contributions }: { contributions: Contributions }): VNode {
  const { baseline, score, joined } = contributions;
  const { steps, least, most } = layOutWaterfall(contributions);
  const span = most - least || 1;
  const at = (value: number): number => (100 * (value - least)) / span;
  return (
    <>
      <p class="hint">
        From the score of the median candidate of this request to the score of this item. Each bar is what one
        group of features adds or takes: what the model read, not what caused anything.
      </p>
      <table class="waterfall">
        <caption class="unseen">Contributions of the groups of features to the score</caption>
        <thead class="unseen">
          <tr>
            <th scope="col">Group</th>
            <th scope="col">Bar</th>
            <th scope="col">Contribution</th>
          </tr>
        </thead>
        <tbody>
          <tr class="end">
            <th scope="row">Median candidate</th>
            <td>
              <Span from={at(baseline)} to={at(baseline)} tone="end" />
            </td>
            <td class="number" data-part="baseline" data-value={baseline}>
              {formatScore(baseline)}
            </td>
          </tr>
          {steps.map(({ name, value, from, to }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>
                <Span from={at(from)} to={at(to)} tone={value < 0 ? 'down' : 'up'} />
              </td>
              <td class={`number ${toneOf(value)}`} data-part="group" data-value={value}>
                {formatContribution(value)}
              </td>
            </tr>
          ))}
          <tr class="end">
            <th scope="row">This item</th>
            <td>
              <Span from={at(score)} to={at(score)} tone="end" />
            </td>
            <td class="number" data-part="score" data-value={score}>
              {formatScore(score)}
            </td>
          </tr>
        </tbody>
      </table>
      {joined !== undefined && joined.length > 0 && (
        <p class="hint">
          <b>other</b> is {joined.join(', ')} together.
        </p>
      )}
    </>
  );
}

/** Whether a value rises, falls, or shows as nothing. */
function toneOf(value: number): 'up' | 'down' | 'quiet' {
  if (Math.abs(value) < LEAST_SHOWN) return 'quiet';
  return value < 0 ? 'down' : 'up';
}

/** A bar between two shares of the track, thin where they are one. */
function Span({ from, to, tone }: { from: number; to: number; tone: 'up' | 'down' | 'end' }): VNode {
  const [left, right] = from < to ? [from, to] : [to, from];
  return (
    <span class="span-track" aria-hidden="true">
      <span class={`span ${tone}`} style={{ left: `${left}%`, width: `${right - left}%` }} />
    </span>
  );
}
