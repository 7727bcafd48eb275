import type { ComponentChildren, VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

/** A part that scrolls by itself where it is wider than the page, and says so there. */
export function Scroll(props: { label: string; isTall?: boolean; children: ComponentChildren }): VNode {
  const { label, isTall = false, children } = props;
  const box = useRef<HTMLDivElement>(null);
  const [isCut, setCut] = useState(false);
  useEffect(() => {
    const { current } = box;
    if (current === null) return undefined;
    const measure = (): void => setCut(current.scrollWidth > current.clientWidth + 1);
    const observer = new ResizeObserver(measure);
    observer.observe(current);
    for (const child of current.children) observer.observe(child);
    return () => observer.disconnect();
  }, []);
  return (
    <>
      {isCut && (
        <p class="hint" aria-hidden="true">
          Scroll sideways for the other columns →
        </p>
      )}
      <div class={isTall ? 'scroll tall' : 'scroll'} tabIndex={0} role="region" aria-label={label} ref={box}>
        {children}
      </div>
    </>
  );
}
