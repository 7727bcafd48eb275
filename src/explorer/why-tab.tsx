import type { VNode } from 'preact';
import { changeBody, isChanged, NO_CHANGES, toBody } from './address.js';
import type { TabProps } from './app.js';
import type { InspectAnswer, InspectBody } from './contract.js';
import { describeChanges } from './describe-changes.js';
import { Explanation } from './explanation.js';
import { useInspection, type Loaded } from './hooks.js';
import { ItemSearch } from './item-search.js';
import { ProblemCard } from './problem-card.js';
import { RequestLine } from './request-line.js';
import { SlateList } from './slate-list.js';

/** The tab that explains one item: why it is in the list, or what kept it away. */
export function WhyTab(props: TabProps): VNode {
  const { api, view, go } = props;
  const { asked, item } = view;
  const { list, explained, wanted } = useExplained(props);
  const explain = (itemId: string): void => go({ item: itemId });
  if (asked === undefined) return <NothingAsked go={go} />;
  if (list.problem !== undefined) {
    return (
      <>
        <ChangesBanner view={view} go={go} />
        <ProblemCard problem={list.problem} />
      </>
    );
  }
  return (
    <>
      <ChangesBanner view={view} go={go} />
      {list.value !== undefined && (
        <RequestLine
          answered={list.answered!}
          wanted={wanted ?? toBody(asked)}
          answer={list.value}
          isLoading={list.isLoading}
        />
      )}
      <section class="card why-search">
        <h2>Why this, or why not that?</h2>
        <ItemSearch api={api} label="Any item of the catalogue" choose={({ itemId }) => explain(itemId)} />
      </section>
      <div class="with-side">
        <section class="card side-list" aria-labelledby="shown-heading">
          <h2 id="shown-heading">{isUnder(view) ? 'The list, with your change' : 'The list'}</h2>
          {list.value !== undefined && (
            <SlateList slate={list.value.slate} selected={item} explain={explain} />
          )}
        </section>
        <div class="results" aria-busy={explained.isLoading}>
          {item === '' && (
            <p class="card quiet">Choose an item of the list, or search for one that is not there.</p>
          )}
          {explained.problem !== undefined && <ProblemCard problem={explained.problem} />}
          {item !== '' && (explained.isLoading || wanted === undefined) && (
            <p class="card quiet">Asking about it…</p>
          )}
          {!explained.isLoading &&
            explained.value?.items
              .slice(0, 1)
              .map((found) => <Explanation key={found.itemId} item={found} answer={explained.value!} />)}
        </div>
      </div>
    </>
  );
}

/** Says under which changes the item is explained. */
function ChangesBanner({ view, go }: Pick<TabProps, 'view' | 'go'>): VNode | null {
  if (!isUnder(view)) return null;
  return (
    <p class="banner warn with-button">
      <span>
        <b>With your change:</b> {describeChanges(view.changes)}
      </span>
      <button type="button" onClick={() => go({ changes: NO_CHANGES, isUnderChanges: false })}>
        Drop the changes
      </button>
    </p>
  );
}

/** The list and the item, both of the same request: as it is, or with the changes. */
function useExplained({ api, memory, view, base, round }: TabProps): {
  list: Loaded<InspectAnswer>;
  explained: Loaded<InspectAnswer>;
  /** Absent while it is not known: changes may need the history of the request as it is. */
  wanted: InspectBody | undefined;
} {
  const { asked, item, changes } = view;
  const isChangeable = base.value !== undefined && !base.isLoading;
  const changed =
    asked !== undefined && isUnder(view) && isChangeable
      ? changeBody(toBody(asked), changes, base.value.history)
      : undefined;
  const other = useInspection(api, memory, changed && { ...changed, candidates: 'none' }, round);
  const wanted = isUnder(view) ? changed : asked && toBody(asked);
  const question: InspectBody | undefined =
    wanted === undefined || item === '' ? undefined : { ...wanted, about: [item], candidates: 'none' };
  const explained = useInspection(api, memory, question, round);
  return { list: isUnder(view) && base.problem === undefined ? other : base, explained, wanted };
}

function isUnder({ changes, isUnderChanges }: TabProps['view']): boolean {
  return isUnderChanges && isChanged(changes);
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
