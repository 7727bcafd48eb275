import type { ScenarioConfig } from '../../../config/scenario-config.js';
import type { InteractionTable } from '../../../domain/interactions.js';
import { describeTarget, type Target } from '../../../domain/target.js';
import type { PreparedDataset } from '../../data/prepared-dataset.js';
import type { ProgressReporter } from '../../progress/progress.js';

/**
 * Says what is predicted, where the dataset has a target, and how much of it no answer can have, where a rule `seen` of the scenario takes out
 * what comes before a purchase, such as views.
 */
export function reportTarget(
  { interactions, counting }: Pick<PreparedDataset, 'interactions' | 'counting'>,
  { scenario, progress }: { scenario: ScenarioConfig; progress: ProgressReporter },
): void {
  const target = counting?.target;
  if (target === undefined || interactions.target === undefined) return;
  const rows = interactions.target.rows.reduce((sum, is) => sum + is, 0);
  const facts = `${describeTarget(target)}, ${rows.toLocaleString('en')} of ${interactions.user.length.toLocaleString('en')} interactions`;
  const warnings = listUnreachable(interactions, { target, scenario });
  progress.start('target').finish([facts, ...warnings].join('; warning: '));
}

function listUnreachable(
  interactions: InteractionTable,
  { target, scenario }: { target: Target; scenario: ScenarioConfig },
): string[] {
  const { types } = interactions;
  if (target.types === undefined || types === undefined) return [];
  const rules = scenario.rules.flatMap((rule) =>
    typeof rule !== 'string' && 'seen' in rule ? rule.seen : [],
  );
  const hidden = types.names.filter(
    (name) =>
      !target.types!.includes(name) && rules.some(({ types: named }) => named?.includes(name) ?? true),
  );
  if (hidden.length === 0) return [];
  const { lost, all } = countLost(interactions, new Set(hidden.map((name) => types.names.indexOf(name))));
  if (lost === 0) return [];
  return [
    `the rule seen of scenario ${scenario.name} takes out what a user did of ${hidden.join(', ')}, and ${lost.toLocaleString('en')} of ` +
      `${all.toLocaleString('en')} that are predicted came after that: no answer can have them. Name in seen.types what must not come ` +
      `again, such as ${target.types.join(', ')}`,
  ];
}

/** Users and items that are predicted, and those of them that a row of a hidden type came before. */
function countLost(
  { user, item, types, target }: InteractionTable,
  hidden: ReadonlySet<number>,
): { lost: number; all: number } {
  const before = new Set<number>();
  const asked = new Set<number>();
  let [lost, all] = [0, 0];
  for (let row = 0; row < user.length; row++) {
    if (user[row] !== user[row - 1]) {
      before.clear();
      asked.clear();
    }
    const own = item[row]!;
    if (target!.rows[row] === 1 && !asked.has(own)) {
      asked.add(own);
      all++;
      if (before.has(own)) lost++;
    }
    if (hidden.has(types!.codes[row]!)) before.add(own);
  }
  return { lost, all };
}
