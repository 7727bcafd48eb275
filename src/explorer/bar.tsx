import type { VNode } from 'preact';

/** A share as a bar; the number stands beside it in the text. */
export function Bar({ share, tone = 'plain' }: { share: number; tone?: 'plain' | 'bad' }): VNode {
  return (
    <span class="bar-track" aria-hidden="true">
      <span class={`bar ${tone}`} style={{ width: `${Math.max(0, Math.min(1, share)) * 100}%` }} />
    </span>
  );
}
