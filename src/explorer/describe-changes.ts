import { omitNames, type Changes } from './address.js';

/** What is changed, in a few words: `scenario new, without als`. */
export function describeChanges(changes: Changes): string {
  const { leftOut, added, withoutSources, withoutRules } = changes;
  const { context, scenario, release } = changes;
  const without = [...withoutSources, ...withoutRules];
  return [
    ...(scenario === undefined ? [] : [scenario === '' ? 'the usual scenario' : `scenario ${scenario}`]),
    ...(release === undefined ? [] : [release === 'stable' ? 'the bundle in service' : `the ${release}`]),
    ...without.map((name) => `without ${name}`),
    ...Object.entries(omitNames(changes.quotas, withoutSources)).map(
      ([name, quota]) => `quota ${quota} of ${name}`,
    ),
    ...Object.entries(omitNames(changes.strengths, withoutRules)).map(
      ([name, strength]) => `${name} × ${strength}`,
    ),
    ...leftOut.map((itemId) => `without item ${itemId}`),
    ...added.map((itemId) => `with item ${itemId}`),
    ...(context === undefined ? [] : [context.length === 0 ? 'no context' : `context ${context.join(' ')}`]),
  ].join(', ');
}
