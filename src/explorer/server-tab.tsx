import type { VNode } from 'preact';
import { Chart } from './chart.js';
import type { Bundle } from './contract.js';
import { formatCount, formatTime } from './format.js';
import { useObservable } from './hooks.js';
import type { Sampler } from './sampler.js';
import { CHARTS } from './series.js';

/** The tab that shows how the server does. */
export function ServerTab({ bundle, sampler }: { bundle: Bundle | undefined; sampler: Sampler }): VNode {
  const { times, values } = useObservable(sampler.recording);
  const shown = CHARTS.map((plan, chart) => ({ plan, lines: values[chart]! })).filter(({ lines }) =>
    lines.some((line) => line.some((value) => value !== undefined)),
  );
  return (
    <>
      <section class="card">
        <h2>The bundle in service</h2>
        {bundle === undefined ? <p class="quiet">Asking…</p> : <Facts bundle={bundle} />}
      </section>
      {bundle?.trials !== undefined && bundle.trials.length > 0 && <Trials trials={bundle.trials} />}
      <h2 class="section-title">While this page is open, up to ten minutes</h2>
      <p class="hint">Looked at every two seconds. Grafana stays the place for more.</p>
      {shown.length === 0 ? (
        <p class="card quiet">The first two looks make a line…</p>
      ) : (
        <div class="charts">
          {shown.map(({ plan, lines }) => (
            <Chart key={plan.title} plan={plan} times={times} values={lines} />
          ))}
        </div>
      )}
    </>
  );
}

function Facts({ bundle }: { bundle: Bundle }): VNode {
  const { version, createdAt, dataset, items, users, scenarios, filterableAttributes, contextFields } =
    bundle;
  const { evaluation } = bundle;
  const facts: readonly (readonly [string, string])[] = [
    ['Version', version],
    ['Trained (UTC)', formatTime(createdAt)],
    ['Dataset', dataset],
    ['Items', formatCount(items)],
    ['Users', formatCount(users)],
    ['Scenarios', scenarios.join(', ')],
    ['Filters by', filterableAttributes.join(', ') || 'nothing'],
    ['Context', contextFields.join(', ') || 'none'],
    ['Evaluation', evaluation === undefined ? 'not evaluated: shortlist evaluate' : describe(evaluation)],
  ];
  return (
    <dl class="facts wide-facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd dir="auto">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function describe({
  protocol,
  k,
  queries,
  ndcg,
  bestSingle,
  candidateRecall,
}: NonNullable<Bundle['evaluation']>) {
  return (
    `${protocol}: nDCG@${k} ${ndcg.toFixed(3)} (best source, ${bestSingle.source}: ${bestSingle.ndcg.toFixed(3)}), ` +
    `${Math.round(100 * candidateRecall)} % of the relevant items are candidates; ${formatCount(queries)} questions`
  );
}

const STATES = {
  open: ['tried', 'good'],
  opening: ['being opened', 'warn'],
  refused: ['refused', 'bad'],
  same: ['the same as in service', ''],
} as const;

function Trials({ trials }: { trials: NonNullable<Bundle['trials']> }): VNode {
  return (
    <section class="card">
      <h2>Tried beside it</h2>
      <ul class="plain rows">
        {trials.map(({ release, channel, share, scenarios, state, problem, bundle }) => {
          const [text, tone] = STATES[state] ?? [state, ''];
          return (
            <li key={release}>
              <b>{release}</b> of the channel <code>{channel}</code>, for {Math.round(100 * share)} % of the
              users
              {scenarios.length > 0 && ` in ${scenarios.join(', ')}`}{' '}
              <span class={`chip ${tone}`}>{text}</span>
              {bundle !== undefined && <code> {bundle.version}</code>}
              {problem !== undefined && <p class="note warn">{problem}</p>}
            </li>
          );
        })}
      </ul>
    </section>
  );
}
