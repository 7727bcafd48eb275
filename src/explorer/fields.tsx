import type { ComponentChildren, VNode } from 'preact';
import { useElementId } from './hooks.js';

interface FieldProps {
  readonly label: string;
  readonly hint?: string | undefined;
}

/** A line of text. */
export function TextField(
  props: FieldProps & {
    value: string;
    set: (value: string) => void;
    placeholder?: string;
    isRequired?: boolean;
  },
): VNode {
  const { label, hint, value, set, placeholder = '', isRequired = false } = props;
  const id = useElementId('text');
  return (
    <Field id={id} label={label} hint={hint}>
      <input
        id={id}
        dir="auto"
        spellcheck={false}
        autocomplete="off"
        value={value}
        placeholder={placeholder}
        required={isRequired}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        onInput={(event) => set(event.currentTarget.value)}
      />
    </Field>
  );
}

/** Several texts, one a line. */
export function LinesField(
  props: FieldProps & {
    values: readonly string[];
    set: (values: string[]) => void;
    placeholder?: string;
  },
): VNode {
  const { label, hint, values, set, placeholder = '' } = props;
  const id = useElementId('lines');
  return (
    <Field id={id} label={label} hint={hint}>
      <textarea
        id={id}
        dir="auto"
        rows={Math.min(6, Math.max(1, values.length + (values.length > 0 ? 1 : 0)))}
        spellcheck={false}
        placeholder={placeholder}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        // Empty lines stay while they are typed.
        value={values.join('\n')}
        onInput={(event) => set(event.currentTarget.value.split('\n'))}
      />
    </Field>
  );
}

/** One of a few. */
export function SelectField<Value extends string>(
  props: FieldProps & {
    value: Value;
    options: readonly (readonly [Value, string])[];
    set: (value: Value) => void;
  },
): VNode {
  const { label, hint, value, options, set } = props;
  const id = useElementId('select');
  return (
    <Field id={id} label={label} hint={hint}>
      <select
        id={id}
        value={value}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        onChange={(event) => set(event.currentTarget.value as Value)}
      >
        {options.map(([option, text]) => (
          <option key={option} value={option}>
            {text}
          </option>
        ))}
      </select>
    </Field>
  );
}

/** A number within bounds; undefined while it is empty. */
export function NumberField(
  props: FieldProps & {
    value: number | undefined;
    minimum: number;
    maximum: number;
    step?: number | 'any';
    placeholder?: string;
    set: (value: number | undefined) => void;
    isLabelHidden?: boolean;
    isDisabled?: boolean;
  },
): VNode {
  const {
    label,
    hint,
    value,
    minimum,
    maximum,
    step = 1,
    placeholder = '',
    set,
    isLabelHidden = false,
    isDisabled = false,
  } = props;
  const id = useElementId('number');
  return (
    <Field id={id} label={label} hint={hint} isLabelHidden={isLabelHidden}>
      <input
        id={id}
        type="number"
        disabled={isDisabled}
        min={minimum}
        max={maximum}
        step={step}
        value={value ?? ''}
        placeholder={placeholder}
        onInput={(event) => {
          const { value: text, valueAsNumber } = event.currentTarget;
          set(text === '' || Number.isNaN(valueAsNumber) ? undefined : valueAsNumber);
        }}
      />
    </Field>
  );
}

/** Without lines that are empty, and without space around the others. */
export function tidy(values: readonly string[]): string[] {
  return values.map((value) => value.trim()).filter((value) => value !== '');
}

function Field(
  props: FieldProps & { id: string; children: ComponentChildren; isLabelHidden?: boolean },
): VNode {
  const { id, label, hint, children, isLabelHidden = false } = props;
  return (
    <div class="field">
      <label for={id} class={isLabelHidden ? 'unseen' : undefined}>
        {label}
      </label>
      {children}
      {hint !== undefined && (
        <small id={`${id}-hint`} class="hint">
          {hint}
        </small>
      )}
    </div>
  );
}
