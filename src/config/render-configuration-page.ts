import { join } from 'node:path';
import { describeAllowed } from './describe-allowed.js';
import { findSetting, listSettings, type Setting } from './list-settings.js';
import { readYamlMapping } from './read-config-file.js';
import { ENVIRONMENTS } from './settings.js';

type Layers = ReadonlyMap<string, Record<string, unknown>>;

const INTRODUCTION = `# Configuration

Settings come in layers, each over the one before:

1. \`configs/default.yaml\`
2. \`configs/<environment>.yaml\`, where \`SHORTLIST_ENV\` names the environment: ${ENVIRONMENTS.map((name) => `\`${name}\``).join(', ')}; \`${ENVIRONMENTS[0]}\` when it is not set
3. environment variables, for the settings that name one below; an empty variable counts as not set

Unknown keys, wrong types and values out of bounds stop the start, with every problem listed at once.
Secrets never stand in these files.

\`shortlist config --env staging\` prints what holds here, each setting with the file, variable or option that set it, secrets masked
(\`--json\` for programs); where \`serve\` would not start over it, it fails with the same words. \`shortlist validate\` checks every file of \`configs/\` for every environment,
and says what each [scenario](scenarios.md#trying-a-scenario) does.

This page is rendered from the schema in \`src/config/settings.ts\` and the files in \`configs/\`; a test keeps it true.
`;

/**
 * Renders `docs/configuration.md` from the settings schema and the layered files of a folder.
 * Markdown, ends with a newline.
 */
export function renderConfigurationPage(configsDir: string): string {
  const layers: Layers = new Map(
    ['default', ...ENVIRONMENTS].map((name) => [
      name,
      readYamlMapping(join(configsDir, `${name}.yaml`)).value,
    ]),
  );
  const settings = listSettings();
  const groups = [...new Set(settings.map(({ group }) => group))];
  const sections = groups.map((group) => {
    const entries = settings.filter((setting) => setting.group === group);
    return [`## ${group}`, ...entries.map((setting) => renderSetting(setting, layers))].join('\n\n');
  });
  return `${[INTRODUCTION.trim(), ...sections].join('\n\n')}\n`;
}

function renderSetting(setting: Setting, layers: Layers): string {
  const { group, key, schema } = setting;
  const facts = [
    `Allowed: ${describeAllowed(schema)}${schema.unit === undefined ? '' : ` (${schema.unit})`}`,
    ...(schema.zero === undefined ? [] : [`0 means: ${schema.zero}`]),
    `Default: ${renderDefaults(setting, layers)}`,
    ...(schema.variable === undefined ? [] : [`Variable: \`${schema.variable}\``]),
    ...(schema.secret === true
      ? ['Secret: set it by its variable where it holds a password; no message shows it']
      : []),
    ...(schema.danger === undefined ? [] : [`Danger: ${schema.danger}`]),
  ];
  return [`### ${group}.${key}`, schema.description, facts.map((fact) => `- ${fact}`).join('\n')].join(
    '\n\n',
  );
}

function renderDefaults(setting: Setting, layers: Layers): string {
  const overrides = ENVIRONMENTS.flatMap((name) => {
    const value = findSetting(layers.get(name)!, setting);
    return value === undefined ? [] : [`\`${JSON.stringify(value)}\` in ${name}`];
  });
  return [`\`${JSON.stringify(findSetting(layers.get('default')!, setting))}\``, ...overrides].join(', ');
}
