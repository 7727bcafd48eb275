import type { VNode } from 'preact';
import { STEPS, type StepName } from './address.js';
import type { InspectAnswer } from './contract.js';
import { formatCount, formatMilliseconds } from './format.js';

interface Step {
  readonly title: string;
  readonly count: number;
  readonly text: string;
  readonly milliseconds?: number | undefined;
  readonly isDegraded: boolean;
}

/** The stages of a request, each with its count and its time; choosing one shows what is in it. */
export function Funnel(props: {
  answer: InspectAnswer;
  step: StepName;
  choose: (step: StepName) => void;
}): VNode {
  const { answer, step, choose } = props;
  const steps = describeSteps(answer);
  return (
    <ol class="funnel" aria-label="Stages">
      {STEPS.map((name) => (
        <li key={name}>
          <button
            type="button"
            aria-current={name === step ? 'step' : undefined}
            onClick={() => choose(name)}
            class={steps[name].isDegraded ? 'degraded' : undefined}
          >
            <span class="step-title">{steps[name].title}</span>
            <span class="step-count">{formatCount(steps[name].count)}</span>
            <span class="step-text">{steps[name].text}</span>
            <span class="step-time">
              {steps[name].isDegraded && <b class="warn-text">degraded </b>}
              {steps[name].milliseconds !== undefined && formatMilliseconds(steps[name].milliseconds)}
            </span>
          </button>
        </li>
      ))}
    </ol>
  );
}

/** To which step of the funnel a stage of the pipeline belongs. */
export function stepOfStage(stage: string): StepName {
  if (stage.startsWith('candidates')) return 'sources';
  if (stage.startsWith('features') || stage === 'merge' || stage === 'ranking') return 'candidates';
  if (stage === 'rules') return 'rules';
  return 'slate';
}

function describeSteps(answer: InspectAnswer): Readonly<Record<StepName, Step>> {
  const { history, rules, sources, slate, stages, degraded, candidateCount } = answer;
  const removed = rules.reduce((sum, rule) => sum + rule.removed, 0);
  const asked = sources.filter(({ outcome }) => outcome !== 'skipped').length;
  const moved = slate.filter(({ reasons }) => reasons.length > 0).length;
  const found = sources.reduce((sum, source) => sum + source.found, 0);
  const timeOf = (step: StepName): number | undefined => {
    const own = stages.filter(({ stage }) => stepOfStage(stage) === step);
    return own.length === 0 ? undefined : own.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  };
  const isDegraded = (step: StepName): boolean =>
    degraded.some(({ stage }) => stepOfStage(stage) === step) ||
    stages.some(({ stage, outcome }) => outcome === 'fallback' && stepOfStage(stage) === step);
  const describe = (step: StepName, title: string, count: number, text: string): Step => ({
    title,
    count,
    text,
    milliseconds: timeOf(step),
    isDegraded: isDegraded(step),
  });
  return {
    history: describe(
      'history',
      'History',
      history.length,
      history.length === 1 ? 'item known' : 'items known',
    ),
    rules: describe('rules', 'Rules', removed, 'items taken away'),
    sources: describe(
      'sources',
      'Sources',
      asked,
      `${asked === 1 ? 'source' : 'sources'}, ${formatCount(found)} found with repeats`,
    ),
    candidates: describe('candidates', 'Candidates', candidateCount, 'merged and ranked'),
    slate: describe(
      'slate',
      'The list',
      slate.length,
      moved === 0 ? 'items shown' : `shown, ${moved} of them moved by rules`,
    ),
  };
}
