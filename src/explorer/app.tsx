import type { VNode } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { NO_CHANGES, toBody, type Asked, type TabName, type View } from './address.js';
import type { Api } from './api.js';
import { Banners } from './banners.js';
import type { Bundle } from './contract.js';
import { useBundle, useInspection, useObservable, useView, type AnswerMemory, type Loaded } from './hooks.js';
import type { InspectAnswer } from './contract.js';
import { RequestTab } from './request-tab.js';
import type { Sampler } from './sampler.js';
import { ServerTab } from './server-tab.js';
import { Tabs } from './tabs.js';
import { WhatIfTab } from './what-if-tab.js';
import { WhyTab } from './why-tab.js';

/** What every tab gets. */
export interface TabProps {
  readonly api: Api;
  readonly memory: AnswerMemory;
  readonly bundle: Bundle | undefined;
  readonly view: View;
  readonly go: (changes: Partial<View>) => void;
  /** The answer to the request. */
  readonly base: Loaded<InspectAnswer>;
  /** How often everything was asked anew. */
  readonly round: number;
  readonly askAgain: () => void;
}

/** The page. */
export function App({ api, sampler }: { api: Api; sampler: Sampler }): VNode {
  const [view, go] = useView();
  const [round, setRound] = useState(0);
  const memory = useMemo<AnswerMemory>(() => new Map(), []);
  const swapped = useObservable(api.swapped);
  const bundle = useBundle(api, round);
  const { asked } = view;
  const isShown = view.tab !== 'server' && asked !== undefined;
  const base = useInspection(api, memory, isShown ? toBody(asked) : undefined, round);
  useEffect(() => sampler.start(), [sampler]);
  useEffect(() => {
    document.title = `${TITLES[view.tab]} · Shortlist explorer`;
  }, [view.tab]);
  const askAgain = (): void => {
    memory.clear();
    api.swapped.set(undefined);
    setRound((before) => before + 1);
  };
  const props: TabProps = { api, memory, bundle, view, go, base, round, askAgain };
  return (
    <>
      <header class="top">
        <h1>
          Shortlist <span class="quiet">explorer</span>
        </h1>
        <p class="bundle-line">
          {bundle === undefined ? (
            <span class="quiet">Asking which bundle serves…</span>
          ) : (
            <>
              <span class="quiet">serves</span> <b dir="auto">{bundle.dataset}</b>{' '}
              <code title="The version of the bundle">{bundle.version}</code>
            </>
          )}
        </p>
      </header>
      <main>
        <Banners api={api} swapped={swapped} askAgain={askAgain} />
        <Tabs selected={view.tab} select={(tab) => go({ tab })} titles={TITLES}>
          {view.tab === 'request' && <RequestTab {...props} />}
          {view.tab === 'why' && <WhyTab {...props} />}
          {view.tab === 'what-if' && <WhatIfTab {...props} />}
          {view.tab === 'server' && <ServerTab bundle={bundle} sampler={sampler} />}
        </Tabs>
      </main>
    </>
  );
}

const TITLES: Readonly<Record<TabName, string>> = {
  request: 'Request',
  why: 'Why',
  'what-if': 'What if',
  server: 'Server',
};

/** The view in which a request is asked anew: what was changed of another, or asked about it, is gone. */
export function toNewRequest(asked: Asked): Partial<View> {
  return { asked, changes: NO_CHANGES, isUnderChanges: false, step: 'slate' };
}
