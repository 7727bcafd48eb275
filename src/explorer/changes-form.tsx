import type { ComponentChildren, VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { isChanged, NO_CHANGES, type Asked, type Changes } from './address.js';
import type { Api } from './api.js';
import type { Bundle, InspectAnswer } from './contract.js';
import { LinesField, NumberField, SelectField, tidy } from './fields.js';
import { ItemSearch } from './item-search.js';
import { ItemName } from './item-name.js';
import { listReleases, listScenarios } from './request-form.js';

interface FormProps {
  readonly api: Api;
  readonly bundle: Bundle | undefined;
  readonly asked: Asked;
  readonly answer: InspectAnswer;
}

interface PartProps extends FormProps {
  readonly draft: Changes;
  readonly change: (changes: Partial<Changes>) => void;
}

/** Where a request is changed. */
export function ChangesForm(
  props: FormProps & { changes: Changes; submit: (changes: Changes) => void },
): VNode {
  const { changes, submit, ...form } = props;
  const [draft, setDraft] = useState(changes);
  const address = JSON.stringify(changes);
  useEffect(() => setDraft(changes), [address]);
  const change = (next: Partial<Changes>): void => setDraft((before) => ({ ...before, ...next }));
  const part: PartProps = { ...form, draft, change };
  return (
    <form
      class="card request-form"
      aria-label="Changes"
      onSubmit={(event) => {
        event.preventDefault();
        submit({ ...draft, ...(draft.context !== undefined && { context: tidy(draft.context) }) });
      }}
    >
      <h2>What if…</h2>
      <HistoryPart {...part} />
      <SourcesPart {...part} />
      <RulesPart {...part} />
      <OthersPart {...part} />
      <button type="submit" class="main wide">
        Compare
      </button>
      {(isChanged(changes) || isChanged(draft)) && (
        <button
          type="button"
          class="wide"
          onClick={() => {
            setDraft(NO_CHANGES);
            submit(NO_CHANGES);
          }}
        >
          Take all changes back
        </button>
      )}
    </form>
  );
}

function Part({
  title,
  open,
  children,
}: {
  title: string;
  open: boolean;
  children: ComponentChildren;
}): VNode {
  return (
    <details class="part" open={open}>
      <summary>{title}</summary>
      {children}
    </details>
  );
}

const MOST_SHOWN = 200;

function HistoryPart({ api, answer, draft, change }: PartProps): VNode {
  const newest = [...answer.history].reverse();
  const entries = [...new Map(newest.map((entry) => [entry.itemId, entry])).values()];
  return (
    <Part title="the history were another?" open>
      {entries.length > 0 && (
        <ul class="plain checks" aria-label="History: what stays in it">
          {entries.slice(0, MOST_SHOWN).map(({ itemId, title }) => (
            <li key={itemId}>
              <label class="check">
                <input
                  type="checkbox"
                  checked={!draft.leftOut.includes(itemId)}
                  onChange={(event) =>
                    change({ leftOut: toggle(draft.leftOut, itemId, !event.currentTarget.checked) })
                  }
                />
                <ItemName itemId={itemId} title={title} />
              </label>
            </li>
          ))}
        </ul>
      )}
      {entries.length > MOST_SHOWN && (
        <p class="hint">
          The newest {MOST_SHOWN} of {entries.length}.
        </p>
      )}
      {entries.length === 0 && <p class="hint">Nothing is known. Add some items:</p>}
      {draft.added.map((itemId) => (
        <p key={itemId} class="added">
          <span>
            + <bdi>{itemId}</bdi>
          </span>
          <button
            type="button"
            class="small"
            aria-label={`Do not add ${itemId}`}
            onClick={() => change({ added: toggle(draft.added, itemId, false) })}
          >
            Remove
          </button>
        </p>
      ))}
      <ItemSearch
        api={api}
        label="Add an item to it"
        choose={({ itemId }) => change({ added: toggle(draft.added, itemId, true) })}
      />
    </Part>
  );
}

function SourcesPart({ answer, draft, change }: PartProps): VNode {
  const { sources } = answer;
  return (
    <Part
      title="a source were off, or gave more?"
      open={draft.withoutSources.length > 0 || Object.keys(draft.quotas).length > 0}
    >
      <ul class="plain checks">
        {sources.map(({ name, quota }) => (
          <li key={name} class="check-row">
            <label class="check">
              <input
                type="checkbox"
                checked={!draft.withoutSources.includes(name)}
                onChange={(event) =>
                  change({ withoutSources: toggle(draft.withoutSources, name, !event.currentTarget.checked) })
                }
              />
              {name}
            </label>
            <NumberField
              label={`Quota of ${name}`}
              isLabelHidden
              isDisabled={draft.withoutSources.includes(name)}
              value={draft.quotas[name]}
              placeholder={String(quota)}
              minimum={1}
              maximum={1000}
              set={(value) => change({ quotas: withNumber(draft.quotas, name, value) })}
            />
          </li>
        ))}
      </ul>
      <p class="hint">The number is its quota; the grey one holds unless you say another.</p>
    </Part>
  );
}

/** Rules that have a strength; others are on or off. */
const STRONG = ['boost', 'diversity', 'fatigue', 'fresh'];

/** What the request asks for, rather than a rule of the scenario. */
const NO_RULES = ['filter', 'exclude', 'unwanted', 'touched', 'placement'];

function RulesPart({ answer, draft, change }: PartProps): VNode {
  const names = [
    ...new Set([
      ...answer.rules.map(({ name }) => name),
      ...answer.moves.map(({ rule }) => rule),
      ...draft.withoutRules,
    ]),
  ].filter((name) => !NO_RULES.includes(name));
  return (
    <Part
      title="a rule were off, or stronger?"
      open={draft.withoutRules.length > 0 || Object.keys(draft.strengths).length > 0}
    >
      {names.length === 0 && <p class="hint">This scenario has no rules.</p>}
      <ul class="plain checks">
        {names.map((name) => (
          <li key={name} class="check-row">
            <label class="check">
              <input
                type="checkbox"
                checked={!draft.withoutRules.includes(name)}
                onChange={(event) =>
                  change({ withoutRules: toggle(draft.withoutRules, name, !event.currentTarget.checked) })
                }
              />
              {name}
            </label>
            {STRONG.includes(name) && (
              <NumberField
                label={`Strength of ${name}, times`}
                isLabelHidden
                isDisabled={draft.withoutRules.includes(name)}
                value={draft.strengths[name]}
                placeholder="× 1"
                minimum={0}
                maximum={10}
                step="any"
                set={(value) => change({ strengths: withNumber(draft.strengths, name, value) })}
              />
            )}
          </li>
        ))}
      </ul>
    </Part>
  );
}

function OthersPart({ bundle, asked, draft, change }: PartProps): VNode {
  const { context, scenario, release } = draft;
  const isUsed = context !== undefined || scenario !== undefined || release !== undefined;
  return (
    <Part title="another scenario, context or bundle?" open={isUsed}>
      <SelectField
        label="Scenario"
        value={scenario ?? asked.scenario}
        options={listScenarios(bundle, scenario ?? asked.scenario)}
        set={(value) => change({ scenario: value === asked.scenario ? undefined : value })}
      />
      <SelectField
        label="Bundle"
        value={release ?? asked.release}
        options={listReleases(bundle, release ?? asked.release)}
        set={(value) => change({ release: value === asked.release ? undefined : value })}
      />
      {(bundle?.contextFields.length ?? 0) > 0 && (
        <LinesField
          label="Context"
          hint={`field:value, one a line; of ${bundle!.contextFields.join(', ')}.`}
          values={context ?? asked.context}
          set={(values) => change({ context: values })}
        />
      )}
    </Part>
  );
}

function toggle(list: readonly string[], value: string, isIn: boolean): string[] {
  const others = list.filter((other) => other !== value);
  return isIn ? [...others, value] : others;
}

function withNumber(
  numbers: Readonly<Record<string, number>>,
  name: string,
  value: number | undefined,
): Record<string, number> {
  const { [name]: _, ...others } = numbers;
  return value === undefined ? others : { ...others, [name]: value };
}
