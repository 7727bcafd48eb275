import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Refusal, type Api } from './api.js';
import type { ItemSearchAnswer } from './contract.js';
import { useElementId, useSettled } from './hooks.js';
import { ItemName } from './item-name.js';
import { describeFound, mayBeId, MOST_LISTED, takeOnEnter } from './search-words.js';

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
  const { text, type, close, open, onKey, options, place, isListed, take, said, isToBeSeen } = useSearchBox(
    api,
    choose,
  );
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
        onInput={(event) => type(event.currentTarget.value)}
        onFocus={open}
        onBlur={close}
        onKeyDown={onKey}
      />
      <Options id={id} label={label} options={options} place={place} isListed={isListed} take={take} />
      <p class={isToBeSeen ? 'hint' : 'unseen'} role="status">
        {said}
      </p>
    </div>
  );
}

/** What is typed, what is found, and what the keys do. */
function useSearchBox(api: Api, choose: (item: Found) => void) {
  const [text, setText] = useState('');
  const [isOpen, setOpen] = useState(false);
  const [place, setPlace] = useState(-1);
  const [entered, setEntered] = useState('');
  const typed = text.trim();
  const settled = useSettled(typed, SETTLE_MS);
  // Enter does not wait until the typing is over.
  const { found, problem, of } = useFound(api, entered === typed ? typed : settled);
  useEffect(() => setPlace(-1), [found]);
  const options = (found ?? []).slice(0, MOST_LISTED);
  const isListed = isOpen && typed !== '';
  const close = (): void => {
    setOpen(false);
    setEntered('');
  };
  const type = (next: string): void => {
    setText(next);
    setEntered('');
    setPlace(-1);
    setOpen(true);
  };
  const take = (item: Found): void => {
    setText('');
    close();
    choose(item);
  };
  const isKnown = found !== undefined && of === typed && typed !== '';
  const isEntered = isKnown && entered === typed;
  useEffect(() => {
    const item = isEntered ? takeOnEnter(typed, found) : undefined;
    if (item !== undefined) take(item);
  }, [isEntered]);
  const enter = (): void => {
    setOpen(true);
    if (isListed && options[place] !== undefined) take(options[place]);
    else if (isEntered && found.length === 0 && mayBeId(typed)) take({ itemId: typed });
    else setEntered(typed);
  };
  const onKey = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') close();
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      setOpen(true);
      const step = event.key === 'ArrowDown' ? 1 : -1;
      const { length } = options;
      setPlace((before) =>
        length === 0 ? -1 : (Math.max(before, step < 0 ? 0 : -1) + step + length) % length,
      );
    }
    if (event.key !== 'Enter') return;
    event.preventDefault();
    enter();
  };
  const said = problem?.message ?? (isListed && isKnown ? describeFound(typed, found, isEntered) : '');
  const isToBeSeen = said !== '' && (options.length === 0 || found!.length > MOST_LISTED);
  const open = (): void => setOpen(true);
  return { text, type, close, open, onKey, options, place, isListed, take, said, isToBeSeen };
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
