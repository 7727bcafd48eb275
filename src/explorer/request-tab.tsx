import type { VNode } from 'preact';
import { formatView, NEW_REQUEST, toBody, type Asked } from './address.js';
import { toNewRequest, type TabProps } from './app.js';
import { Funnel } from './funnel.js';
import { revealResults } from './hooks.js';
import { ItemSearch } from './item-search.js';
import { ProblemCard } from './problem-card.js';
import { RequestForm } from './request-form.js';
import { RequestLine } from './request-line.js';
import { SlateList } from './slate-list.js';
import { StepDetail } from './step-details.js';

/** The tab that walks a request through its stages. */
export function RequestTab(props: TabProps): VNode {
  const { bundle, view, go, base, askAgain } = props;
  const ask = (asked: Asked): void => {
    const next = { ...view, ...toNewRequest(asked) };
    // The same once more asks once more.
    if (formatView(next) === formatView(view)) askAgain();
    else go(next);
    revealResults();
  };
  return (
    <div class="with-side">
      <RequestForm asked={view.asked} bundle={bundle} submit={ask} />
      <div class="results" aria-busy={base.isLoading}>
        {view.asked === undefined ? <Welcome {...props} ask={ask} /> : <Results {...props} />}
      </div>
    </div>
  );
}

function Results({ api, view, go, base }: TabProps): VNode {
  const { value: answer, problem, isLoading } = base;
  const explain = (item: string): void => go({ tab: 'why', item, isUnderChanges: false });
  if (problem !== undefined) return <ProblemCard problem={problem} />;
  if (answer === undefined) return <p class="card quiet">{isLoading ? 'Asking…' : ''}</p>;
  return (
    <>
      <RequestLine
        answered={base.answered!}
        wanted={toBody(view.asked!)}
        answer={answer}
        isLoading={isLoading}
      />
      <Funnel answer={answer} step={view.step} choose={(step) => go({ step })} />
      {view.step === 'slate' ? (
        <section class="card" aria-labelledby="slate-heading">
          <div class="why-not">
            <h2>Why is … not here?</h2>
            <ItemSearch
              api={api}
              label="Why is this item not in the list?"
              isLabelHidden
              placeholder="Type a title or an id that you miss"
              choose={({ itemId }) => explain(itemId)}
            />
          </div>
          <h2 id="slate-heading">The list</h2>
          <p class="hint">Choose an item to see why it is here.</p>
          <SlateList slate={answer.slate} explain={explain} />
        </section>
      ) : (
        <StepDetail step={view.step} answer={answer} explain={explain} />
      )}
    </>
  );
}

function Welcome({ bundle, ask }: TabProps & { ask: (asked: Asked) => void }): VNode {
  const example = bundle?.exampleUserId;
  return (
    <section class="card welcome">
      <h2>Why this, and why not that?</h2>
      <p>Say whose list you want to see. Then:</p>
      <ol>
        <li>
          follow it through every stage, from the history to the <b>list</b>;
        </li>
        <li>
          choose an item to see <b>why</b> it is there, or search for one to see what kept it away;
        </li>
        <li>
          try <b>what if</b>: another history, a source or a rule switched off, another bundle.
        </li>
      </ol>
      <p class="buttons">
        {example !== undefined && (
          <button type="button" class="main" onClick={() => ask({ ...NEW_REQUEST, userId: example })}>
            Start with user {example}
          </button>
        )}
        <button type="button" onClick={() => ask({ ...NEW_REQUEST, subject: 'nobody' })}>
          Start with nobody in particular
        </button>
      </p>
      <p class="hint">Nothing that you do here is written anywhere, or counts as shown to anybody.</p>
    </section>
  );
}
