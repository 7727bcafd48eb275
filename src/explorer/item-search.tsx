import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Refusal, type Api } from './api.js';
import type { ItemSearchAnswer } from './contract.js';
import { useElementId, useSettled } from './hooks.js';
import { ItemName } from './item-name.js';

type Found = ItemSearchAnswer['items'][number];

const SETTLE_MS = 180;

/** A box that finds any item of the catalogue by a part of its title, or its id: a combobox by the ARIA pattern. */
export function ItemSearch(props: {
  api: Api;
  label: string;
  isLabelHidden?: boolean;
  placeholder?: string;
  choose: (item: Found) => void;
}): VNode {
  const { api, label, isLabelHidden = false, placeholder = 'Type a title or an id', choose } = props;
  const id = useElementId('search');
  const [text, setText] = useState('');
  const [isOpen, setOpen] = useState(false);
  const [place, setPlace] = useState(-1);
  const wanted = useSettled(text.trim(), SETTLE_MS);
  const { found, problem, of } = useFound(api, wanted);
  useEffect(() => setPlace(-1), [found]);
  const options = listOptions(text.trim(), found);
  const isListed = isOpen && text.trim() !== '';
  const take = (item: Found): void => {
    setText('');
    setOpen(false);
    choose(item);
  };
  const onKey = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') setOpen(false);
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      setOpen(true);
      const step = event.key === 'ArrowDown' ? 1 : -1;
      const { length } = options;
      setPlace((before) =>
        length === 0 ? -1 : (Math.max(before, step < 0 ? 0 : -1) + step + length) % length,
      );
    }
    if (event.key === 'Enter') event.preventDefault();
    if (event.key === 'Enter' && options.length > 0 && of === text.trim()) {
      take(options[Math.max(0, place)]!);
    }
  };
  return (
    <div class="search">
      <label for={id} class={isLabelHidden ? 'unseen' : undefined}>
        {label}
      </label>
      <input
        id={id}
        role="combobox"
        dir="auto"
        autocomplete="off"
        spellcheck={false}
        placeholder={placeholder}
        aria-expanded={isListed}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={isListed && place >= 0 ? `${id}-${place}` : undefined}
        value={text}
        onInput={(event) => {
          setText(event.currentTarget.value);
          setOpen(true);
        }}
        onFocus={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onKeyDown={onKey}
      />
      <Options id={id} label={label} options={options} place={place} isListed={isListed} take={take} />
      <p class={problem === undefined ? 'unseen' : 'hint'} role="status">
        {problem?.message ?? (isListed && found !== undefined ? `${found.length} found` : '')}
      </p>
    </div>
  );
}

function Options(props: {
  id: string;
  label: string;
  options: readonly Found[];
  place: number;
  isListed: boolean;
  take: (item: Found) => void;
}): VNode {
  const { id, label, options, place, isListed, take } = props;
  return (
    <ul id={`${id}-list`} role="listbox" aria-label={label} hidden={!isListed || options.length === 0}>
      {options.map((item, index) => (
        <li
          key={item.itemId}
          id={`${id}-${index}`}
          role="option"
          aria-selected={index === place}
          // Before the box loses the focus, which closes the list.
          onMouseDown={(event) => {
            event.preventDefault();
            take(item);
          }}
        >
          <ItemName itemId={item.itemId} title={item.title} />
        </li>
      ))}
    </ul>
  );
}

/** What was found, and the text itself as an id where nothing has it. */
function listOptions(text: string, found: readonly Found[] | undefined): readonly Found[] {
  if (found === undefined) return [];
  return found.length > 0 || text === '' ? found : [{ itemId: text }];
}

interface Result {
  readonly found?: readonly Found[];
  readonly problem?: Refusal;
  /** The text that it is the result of. */
  readonly of: string;
}

function useFound(api: Api, text: string): Result {
  const [result, setResult] = useState<Result>({ of: '' });
  useEffect(() => {
    if (text === '') return setResult({ of: '' });
    const controller = new AbortController();
    api.searchItems(text, controller.signal).then(
      ({ items }) => setResult({ found: items, of: text }),
      (problem: unknown) => {
        if (!controller.signal.aborted && problem instanceof Refusal) setResult({ problem, of: text });
      },
    );
    return () => controller.abort();
  }, [api, text]);
  return result;
}
