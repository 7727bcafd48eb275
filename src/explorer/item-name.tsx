import type { VNode } from 'preact';

/** An item as people know it: its title, and its id where the title is not all there is. */
export function ItemName({ itemId, title }: { itemId: string; title?: string | undefined }): VNode {
  const name = title?.trim();
  return name === undefined || name === '' ? (
    <span class="item-name">
      <bdi class="title" title={itemId}>
        {itemId}
      </bdi>
    </span>
  ) : (
    <span class="item-name">
      <bdi class="title" title={name}>
        {name}
      </bdi>{' '}
      <bdi class="id" title={itemId}>
        {itemId}
      </bdi>
    </span>
  );
}

/** An item that can be asked about. */
export function ItemButton(props: {
  itemId: string;
  title?: string | undefined;
  isSelected?: boolean;
  explain: (itemId: string) => void;
}): VNode {
  const { itemId, title, isSelected = false, explain } = props;
  return (
    <button
      type="button"
      class="item-button"
      aria-current={isSelected ? 'true' : undefined}
      onClick={() => explain(itemId)}
    >
      <ItemName itemId={itemId} title={title} />
    </button>
  );
}
