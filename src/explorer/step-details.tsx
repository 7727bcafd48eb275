import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { StepName } from './address.js';
import { Bar } from './bar.js';
import { CandidatesTable } from './candidates-table.js';
import type { HistoryEntry, InspectAnswer } from './contract.js';
import { formatAmount, formatCount, formatMilliseconds, formatNumber, formatTime } from './format.js';
import { ItemButton } from './item-name.js';
import { Scroll } from './scroll.js';

interface DetailProps {
  readonly answer: InspectAnswer;
  readonly explain: (itemId: string) => void;
}

/** What is in a stage of the funnel. */
export function StepDetail({ step, answer, explain }: DetailProps & { step: StepName }): VNode {
  return (
    <section class="card">
      {step === 'history' && <History answer={answer} explain={explain} />}
      {step === 'rules' && <Rules answer={answer} />}
      {step === 'sources' && <Sources answer={answer} />}
      {step === 'candidates' && (
        <>
          <h2>Candidates</h2>
          <CandidatesTable candidates={answer.candidates ?? []} sources={answer.sources} explain={explain} />
        </>
      )}
    </section>
  );
}

const FROM: Readonly<Record<HistoryEntry['from'], string>> = {
  bundle: 'in the bundle',
  live: 'since then',
  request: 'from this request',
};

const PAGE = 200;

function History({ answer, explain }: DetailProps): VNode {
  const [most, setMost] = useState(PAGE);
  const newest = [...answer.history].reverse();
  if (answer.history.length === 0) {
    return (
      <>
        <h2>History</h2>
        <p>Nothing is known of the subject: no item that it touched.</p>
      </>
    );
  }
  return (
    <>
      <h2>History</h2>
      <p class="hint">The newest first. What the sources and the ranker know of the subject.</p>
      <Scroll label="History">
        <table>
          <thead>
            <tr>
              <th scope="col">Item</th>
              <th scope="col">When (UTC)</th>
              <th scope="col">What</th>
              <th scope="col" class="number">
                Counts
              </th>
              <th scope="col">Known</th>
            </tr>
          </thead>
          <tbody>
            {newest.slice(0, most).map((entry, index) => (
              <tr key={index}>
                <th scope="row">
                  <ItemButton itemId={entry.itemId} title={entry.title} explain={explain} />
                </th>
                <td class="nowrap">{formatTime(entry.time)}</td>
                <td>{entry.type ?? '–'}</td>
                <td class="number">{formatNumber(entry.value)}</td>
                <td>
                  <span class={entry.from === 'bundle' ? 'chip' : 'chip good'}>{FROM[entry.from]}</span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {newest.length > most && (
        <button type="button" onClick={() => setMost(most + 5 * PAGE)}>
          Show more ({formatCount(newest.length - most)} left)
        </button>
      )}
    </>
  );
}

function Rules({ answer }: { answer: InspectAnswer }): VNode {
  const { rules, moves } = answer;
  // The first rule sees the whole catalogue.
  const [first] = rules;
  const all = Math.max(1, first === undefined ? 0 : first.removed + first.left);
  return (
    <>
      <h2>Rules that take items away</h2>
      {rules.length === 0 ? (
        <p>None: every item of the catalogue may be shown.</p>
      ) : (
        <Scroll label="Rules that take items away">
          <table>
            <thead>
              <tr>
                <th scope="col">Rule</th>
                <th scope="col" class="wide">
                  Taken away, of the catalogue
                </th>
                <th scope="col" class="number">
                  Items
                </th>
                <th scope="col" class="number">
                  Left
                </th>
              </tr>
            </thead>
            <tbody>
              {rules.map(({ name, removed, left }) => (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  <td>
                    <Bar share={removed / all} tone="bad" />
                  </td>
                  <td class="number">{formatCount(removed)}</td>
                  <td class="number">{formatCount(left)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
      {moves.length > 0 && (
        <>
          <h2>Rules that move items</h2>
          <ul class="plain rows">
            {moves.map(({ rule, moved }) => (
              <li key={rule}>
                <b>{rule}</b> moved {formatAmount(moved, 'item')} of those shown.
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}

function Sources({ answer }: { answer: InspectAnswer }): VNode {
  const { sources, stages } = answer;
  const most = Math.max(1, ...sources.map(({ found }) => found));
  return (
    <>
      <h2>Sources</h2>
      <p class="hint">
        Each gives its best items. A quota is how many of these are sure of a place; the other places go to
        those that several sources rank high.
      </p>
      <Scroll label="Sources">
        <table>
          <thead>
            <tr>
              <th scope="col">Source</th>
              <th scope="col" class="wide">
                Found, and kept of these
              </th>
              <th scope="col" class="number">
                Found
              </th>
              <th scope="col" class="number">
                Only it
              </th>
              <th scope="col" class="number">
                Kept
              </th>
              <th scope="col" class="number">
                Quota
              </th>
              <th scope="col" class="number">
                Time
              </th>
            </tr>
          </thead>
          <tbody>
            {sources.map(({ name, outcome, found, alone, kept, quota, milliseconds }) => (
              <tr key={name} class={outcome === 'ok' ? undefined : 'dim'}>
                <th scope="row">
                  {name}
                  {outcome === 'failed' && <span class="chip bad">failed</span>}
                  {outcome === 'skipped' && <span class="chip">not in this bundle</span>}
                </th>
                <td>
                  <span class="bar-track" aria-hidden="true">
                    <span class="bar pale" style={{ width: `${(100 * found) / most}%` }} />
                    <span class="bar over" style={{ width: `${(100 * kept) / most}%` }} />
                  </span>
                </td>
                <td class="number">{formatCount(found)}</td>
                <td class="number">{formatCount(alone)}</td>
                <td class="number">{formatCount(kept)}</td>
                <td class="number">{formatCount(quota)}</td>
                <td class="number nowrap">{formatMilliseconds(milliseconds)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      <Stages stages={stages} />
    </>
  );
}

function Stages({ stages }: { stages: InspectAnswer['stages'] }): VNode | null {
  if (stages.length === 0) return null;
  return (
    <details>
      <summary>Time of every stage</summary>
      <ul class="plain rows">
        {stages.map(({ stage, milliseconds, outcome }, index) => (
          <li key={index}>
            <code>{stage}</code> {formatMilliseconds(milliseconds)}
            {outcome === 'fallback' && <span class="chip warn">fell back</span>}
          </li>
        ))}
      </ul>
    </details>
  );
}
