import t from 'tap';
import { SILENT_PROGRESS, type ProgressReporter } from '../../../../src/offline/progress/progress.js';
import {
  fitLinks,
  type LinkFitOptions,
  type LinkFitTask,
} from '../../../../src/offline/training/candidates/fit-links.js';
import { createTasteGroups } from '../../../candidates/taste-groups.js';

const itemCount = 40;
const histories = createTasteGroups({ items: itemCount });
const FITS: { readonly [F in keyof LinkFitOptions]: LinkFitOptions[F] } = {
  neighbours: { itemCount },
  ease: { itemCount, regularisation: 10 },
  followers: { itemCount, steps: 3, followers: 5, shrink: 1 },
};

for (const fit of Object.keys(FITS) as (keyof LinkFitOptions)[]) {
  t.test(`a thread fits ${fit} as the caller would, and tells of all of it`, async (t) => {
    const task: LinkFitTask = { fit, histories, options: FITS[fit] };
    const here = recordSteps();
    const there = recordSteps();
    const expected = await fitLinks(task, { threads: 1, ...here });
    t.ok(expected.neighbours.length > 0);
    t.same(await fitLinks(task, { threads: 2, ...there }), expected);
    t.same(there.steps, here.steps);
  });
}

t.test('what cannot be fitted is refused by a thread as by the caller', async (t) => {
  const task = { fit: 'ease', histories, options: { itemCount, regularisation: -1e9 } } as const;
  const options = { ...task.options, regularisation: Number.NaN };
  for (const threads of [1, 2]) {
    const fitting = fitLinks({ ...task, options }, { threads, progress: SILENT_PROGRESS });
    await t.rejects(fitting, { code: 'TRAINING_FAILED', message: /regularisation is NaN/ });
  }
});

t.test('a thread that fails is an error that says why', async (t) => {
  const broken = { ...histories, items: undefined as unknown as Int32Array };
  const task = { fit: 'followers', histories: broken, options: FITS.followers } as const;
  await t.rejects(fitLinks(task, { threads: 2, progress: SILENT_PROGRESS }), {
    code: 'TRAINING_FAILED',
    message: /thread of followers failed: /,
  });
});

/** The steps with how far each came, and what came of it. */
function recordSteps(): { steps: string[]; progress: ProgressReporter } {
  const steps: string[] = [];
  return {
    steps,
    progress: {
      start: (label, total) => {
        let done = 0;
        return {
          advance: (units = 1) => (done += units),
          finish: (summary) => steps.push(`${label}: ${done} of ${total}, ${summary}`),
        };
      },
    },
  };
}
