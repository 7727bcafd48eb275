import type { ComponentChildren, VNode } from 'preact';
import { useRef } from 'preact/hooks';
import { TABS, type TabName } from './address.js';

/** Tabs by the ARIA pattern: one stop of the tab key, arrows go from one to the next. */
export function Tabs(props: {
  selected: TabName;
  select: (tab: TabName) => void;
  titles: Readonly<Record<TabName, string>>;
  children: ComponentChildren;
}): VNode {
  const { selected, select, titles, children } = props;
  const buttons = useRef(new Map<TabName, HTMLButtonElement>());
  const move = (event: KeyboardEvent): void => {
    const target = findTarget(event.key, TABS.indexOf(selected));
    if (target === undefined) return;
    event.preventDefault();
    const tab = TABS[(target + TABS.length) % TABS.length]!;
    select(tab);
    buttons.current.get(tab)?.focus();
  };
  return (
    <>
      <div class="tabs" role="tablist" aria-label="Views" onKeyDown={move}>
        {TABS.map((tab) => (
          <button
            key={tab}
            type="button"
            role="tab"
            id={`tab-${tab}`}
            aria-selected={tab === selected}
            aria-controls="panel"
            tabIndex={tab === selected ? 0 : -1}
            ref={(button) => {
              if (button !== null) buttons.current.set(tab, button);
            }}
            onClick={() => select(tab)}
          >
            {titles[tab]}
          </button>
        ))}
      </div>
      <div id="panel" class="panel" role="tabpanel" aria-labelledby={`tab-${selected}`}>
        {children}
      </div>
    </>
  );
}

function findTarget(key: string, place: number): number | undefined {
  if (key === 'ArrowRight') return place + 1;
  if (key === 'ArrowLeft') return place - 1;
  if (key === 'Home') return 0;
  if (key === 'End') return -1;
  return undefined;
}
