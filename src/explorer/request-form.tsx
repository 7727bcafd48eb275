import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { NEW_REQUEST, type Asked, type SubjectKind } from './address.js';
import type { Bundle, Release } from './contract.js';
import { LinesField, NumberField, SelectField, TextField, tidy } from './fields.js';
import { hasOuterBlank } from './subject.js';

/** Where a request is put together. */
export function RequestForm(props: {
  asked: Asked | undefined;
  bundle: Bundle | undefined;
  submit: (asked: Asked) => void;
}): VNode {
  const { asked, bundle, submit } = props;
  const [draft, setDraft] = useState(asked ?? NEW_REQUEST);
  const address = JSON.stringify(asked);
  useEffect(() => {
    if (asked !== undefined) setDraft(asked);
  }, [address]);
  const change = (changes: Partial<Asked>): void => setDraft((before) => ({ ...before, ...changes }));
  return (
    <form
      class="card request-form"
      aria-label="The request"
      onSubmit={(event) => {
        event.preventDefault();
        submit(tidyRequest(draft));
      }}
    >
      <h2>Whose list?</h2>
      <SubjectFields draft={draft} change={change} />
      <SelectField
        label="Scenario"
        value={draft.scenario}
        options={listScenarios(bundle, draft.scenario)}
        set={(scenario) => change({ scenario })}
      />
      <div class="pair">
        <NumberField
          label="Items"
          value={draft.limit}
          minimum={1}
          maximum={100}
          set={(limit) => change({ limit: limit ?? NEW_REQUEST.limit })}
        />
        <SelectField
          label="Bundle"
          value={draft.release}
          options={listReleases(bundle, draft.release)}
          set={(release) => change({ release })}
        />
      </div>
      <details open={draft.filter.length + draft.context.length + draft.exclude.length > 0}>
        <summary>Filters, context, items to leave out</summary>
        <LinesField
          label="Filters"
          hint={hintOf('attribute:value, one a line', bundle?.filterableAttributes)}
          values={draft.filter}
          set={(filter) => change({ filter })}
        />
        <LinesField
          label="Context"
          hint={hintOf('field:value, one a line', bundle?.contextFields)}
          values={draft.context}
          set={(context) => change({ context })}
        />
        <LinesField
          label="Items to leave out"
          hint="Ids, one a line."
          values={draft.exclude}
          set={(exclude) => change({ exclude })}
        />
      </details>
      <button type="submit" class="main wide">
        Show this list
      </button>
    </form>
  );
}

const KINDS: readonly (readonly [SubjectKind, string])[] = [
  ['user', 'A user'],
  ['item', 'Like an item'],
  ['list', 'A history'],
  ['nobody', 'Nobody'],
];

function SubjectFields({
  draft,
  change,
}: {
  draft: Asked;
  change: (changes: Partial<Asked>) => void;
}): VNode {
  return (
    <>
      <fieldset class="choice">
        <legend class="unseen">The list is for</legend>
        {KINDS.map(([kind, text]) => (
          <label key={kind}>
            <input
              type="radio"
              name="subject"
              value={kind}
              checked={draft.subject === kind}
              onChange={() => change({ subject: kind })}
            />
            <span>{text}</span>
          </label>
        ))}
      </fieldset>
      {draft.subject === 'user' && (
        <>
          <TextField
            label="User id"
            value={draft.userId}
            hint={hintOfId(draft.userId)}
            isRequired={draft.sessionId === ''}
            set={(userId) => change({ userId })}
          />
          <details open={draft.sessionId !== ''}>
            <summary>Session</summary>
            <TextField
              label="Session id"
              hint={hintOfId(draft.sessionId) ?? 'What the visitor did lately, where events are taken.'}
              value={draft.sessionId}
              set={(sessionId) => change({ sessionId })}
            />
          </details>
        </>
      )}
      {draft.subject === 'item' && (
        <TextField
          label="Item id"
          value={draft.itemId}
          hint={hintOfId(draft.itemId)}
          isRequired
          set={(itemId) => change({ itemId })}
        />
      )}
      {draft.subject === 'list' && (
        <LinesField
          label="Items of the history"
          hint="Ids, one a line, oldest first."
          values={draft.items}
          set={(items) => change({ items })}
        />
      )}
      {draft.subject === 'nobody' && <p class="hint">A list for somebody of whom nothing is known.</p>}
    </>
  );
}

/** The scenarios that a form offers, the default first. */
export function listScenarios(bundle: Bundle | undefined, chosen: string): (readonly [string, string])[] {
  const known = bundle?.scenarios ?? [];
  const others = chosen === '' || known.includes(chosen) ? [] : [chosen];
  return [['', 'As the server has it'], ...[...known, ...others].map((name) => [name, name] as const)];
}

/** The bundles that a form offers: the one in service, and those that are tried. */
export function listReleases(bundle: Bundle | undefined, chosen: Release): (readonly [Release, string])[] {
  const tried = (bundle?.trials ?? []).map(({ release }) => release);
  const releases = new Set<Release>(['stable', ...tried, chosen]);
  return [...releases].map((release) => [release, release === 'stable' ? 'In service' : `The ${release}`]);
}

function hintOf(form: string, names: readonly string[] | undefined): string {
  if (names === undefined) return `${form}.`;
  return names.length === 0 ? `${form}; this bundle has none.` : `${form}; of ${names.join(', ')}.`;
}

/** Ids are sent as they are typed; a blank at an end is more often a slip than a part of one. */
function hintOfId(id: string): string | undefined {
  return hasOuterBlank(id) ? 'The id begins or ends with a blank.' : undefined;
}

function tidyRequest(draft: Asked): Asked {
  return {
    ...draft,
    items: tidy(draft.items),
    exclude: tidy(draft.exclude),
    filter: tidy(draft.filter),
    context: tidy(draft.context),
  };
}
