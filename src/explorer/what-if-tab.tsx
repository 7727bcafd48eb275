import type { VNode } from 'preact';
import { changeBody, isChanged, toBody, type Changes } from './address.js';
import type { TabProps } from './app.js';
import { ChangesForm } from './changes-form.js';
import { revealResults, useInspection } from './hooks.js';
import { ProblemCard } from './problem-card.js';
import { RequestLine } from './request-line.js';
import { SlateComparison } from './slate-comparison.js';
import { NothingAsked } from './why-tab.js';

/** The tab that changes a request and shows both lists. */
export function WhatIfTab(props: TabProps): VNode {
  const { api, memory, bundle, view, go, base, round } = props;
  const { asked, changes } = view;
  const answer = base.isLoading ? undefined : base.value;
  const isTried = answer !== undefined && isChanged(changes);
  const other = useInspection(
    api,
    memory,
    isTried ? { ...changeBody(toBody(asked!), changes, answer.history), candidates: 'none' } : undefined,
    round,
  );
  if (asked === undefined) return <NothingAsked go={go} />;
  if (base.problem !== undefined) return <ProblemCard problem={base.problem} />;
  if (base.value === undefined) return <p class="card quiet">Asking…</p>;
  const explain = (item: string, isUnderChanges: boolean): void => go({ tab: 'why', item, isUnderChanges });
  const submit = (next: Changes): void => {
    go({ changes: next });
    revealResults();
  };
  return (
    <>
      <RequestLine
        answered={base.answered!}
        wanted={toBody(asked)}
        answer={base.value}
        isLoading={base.isLoading}
      />
      <div class="with-side">
        <ChangesForm
          api={api}
          bundle={bundle}
          asked={asked}
          answer={base.value}
          changes={changes}
          submit={submit}
        />
        <div class="results" aria-busy={other.isLoading}>
          {other.problem !== undefined && <ProblemCard problem={other.problem} />}
          {other.problem === undefined && (
            <SlateComparison
              before={base.value}
              after={isTried && !other.isLoading ? other.value : undefined}
              isAsking={other.isLoading}
              explain={explain}
            />
          )}
        </div>
      </div>
    </>
  );
}
