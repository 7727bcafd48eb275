import type { VNode } from 'preact';
import { toBody } from './address.js';
import type { TabProps } from './app.js';
import type { InspectBody } from './contract.js';
import { Explanation } from './explanation.js';
import { useInspection } from './hooks.js';
import { ItemSearch } from './item-search.js';
import { ProblemCard } from './problem-card.js';
import { RequestLine } from './request-line.js';
import { SlateList } from './slate-list.js';

/** The tab that explains one item: why it is in the list, or what kept it away. */
export function WhyTab(props: TabProps): VNode {
  const { api, memory, view, go, base, round } = props;
  const { asked, item } = view;
  const body: InspectBody | undefined =
    asked === undefined || item === '' ? undefined : { ...toBody(asked), about: [item], candidates: 'none' };
  const explained = useInspection(api, memory, body, round);
  const explain = (itemId: string): void => go({ item: itemId });
  if (asked === undefined) return <NothingAsked go={go} />;
  if (base.problem !== undefined) return <ProblemCard problem={base.problem} />;
  return (
    <>
      {base.value !== undefined && (
        <RequestLine
          answered={base.answered!}
          wanted={toBody(asked)}
          answer={base.value}
          isLoading={base.isLoading}
        />
      )}
      <section class="card why-search">
        <h2>Why this, or why not that?</h2>
        <ItemSearch api={api} label="Any item of the catalogue" choose={({ itemId }) => explain(itemId)} />
      </section>
      <div class="with-side">
        <section class="card side-list" aria-labelledby="shown-heading">
          <h2 id="shown-heading">The list</h2>
          {base.value !== undefined && (
            <SlateList slate={base.value.slate} selected={item} explain={explain} />
          )}
        </section>
        <div class="results" aria-busy={explained.isLoading}>
          {item === '' && (
            <p class="card quiet">Choose an item of the list, or search for one that is not there.</p>
          )}
          {explained.problem !== undefined && <ProblemCard problem={explained.problem} />}
          {item !== '' && explained.isLoading && <p class="card quiet">Asking about it…</p>}
          {!explained.isLoading &&
            explained.value?.items
              .slice(0, 1)
              .map((found) => <Explanation key={found.itemId} item={found} answer={explained.value!} />)}
        </div>
      </div>
    </>
  );
}

/** What stands in a tab that needs a request before there is one. */
export function NothingAsked({ go }: Pick<TabProps, 'go'>): VNode {
  return (
    <section class="card">
      <p>First say whose list this is about.</p>
      <button type="button" class="main" onClick={() => go({ tab: 'request' })}>
        Go to the request
      </button>
    </section>
  );
}
