import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { listRuleProblems, PLAIN_RULES, RULE_SETTINGS } from '../../src/config/rule-config.js';
import { ScenarioSchema } from '../../src/config/scenario-config.js';
import { listProblems } from '../../src/config/list-problems.js';
import { REPOSITORY } from './markdown-pages.js';

const PAGE = readFileSync(join(REPOSITORY, 'docs/scenarios.md'), 'utf8');
const blocks = [...PAGE.matchAll(/^```yaml\n(.*?)^```/gms)].map(
  ([, text]) => parse(text!) as { name?: string; rules: unknown[] },
);

t.test('every rule of the page is one that a scenario may have', async (t) => {
  t.ok(blocks.length > 6);
  for (const { rules } of blocks)
    t.same(listRuleProblems(rules, { origin: 'docs/scenarios.md', path: ['rules'] }), []);
  for (const block of blocks.filter(({ name }) => name !== undefined))
    t.same(listProblems(ScenarioSchema, block, { origin: 'docs/scenarios.md' }), []);
});

/** Numbers that a value may not pass, as the page writes them; those of a strength are told once for all rules. */
function boundsOf(schema: object): string[] {
  const { minimum, maximum, maxItems } = schema as Record<string, number | undefined>;
  return [minimum, maximum, maxItems]
    .filter((bound) => bound !== undefined && Math.abs(bound) > 1)
    .map((bound) => (bound! >= 10_000 ? bound!.toLocaleString('en') : String(bound)));
}

t.test('the page has the bounds of every key', async (t) => {
  for (const [name, { properties }] of Object.entries(RULE_SETTINGS)) {
    const section = PAGE.split(`\n### ${name}\n`)[1]!.split('\n### ')[0]!;
    for (const [key, schema] of Object.entries(properties))
      for (const bound of boundsOf(schema)) t.ok(section.includes(bound), `${name}.${key}: ${bound}`);
  }
  const { sources, maxCandidates, filters } = ScenarioSchema.properties;
  const rows = { sources: Object.values(sources.patternProperties)[0]!, maxCandidates, filters };
  for (const [key, schema] of Object.entries(rows)) {
    const row = PAGE.split('\n').find((line) => line.startsWith(`| \`${key}\``))!;
    for (const bound of boundsOf(schema)) t.ok(row.includes(bound), `${key}: ${bound}`);
  }
});

t.test('the page has every rule, and every key of a scenario', async (t) => {
  for (const name of PLAIN_RULES) t.ok(PAGE.includes(`\`${name}\``), name);
  for (const [name, { properties }] of Object.entries(RULE_SETTINGS)) {
    const section = PAGE.split(`\n### ${name}\n`)[1]?.split('\n### ')[0] ?? '';
    t.not(section, '', name);
    for (const key of Object.keys(properties))
      t.ok(`${section}${PAGE.split('### When a rule')[1]}`.includes(key), `${name}.${key}`);
  }
  for (const key of Object.keys(ScenarioSchema.properties)) t.ok(PAGE.includes(`| \`${key}\` `), key);
});
