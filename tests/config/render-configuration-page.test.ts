import { readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { listSettings } from '../../src/config/list-settings.js';
import { renderConfigurationPage } from '../../src/config/render-configuration-page.js';

const PAGE = 'docs/configuration.md';

t.test(
  'docs/configuration.md is what the schema and the files say (UPDATE_DOCS=1 rewrites it)',
  async (t) => {
    const rendered = renderConfigurationPage('configs');
    if (process.env['UPDATE_DOCS'] === '1') writeFileSync(PAGE, rendered);
    t.equal(readFileSync(PAGE, 'utf8'), rendered);
  },
);

t.test('the page names every setting, its default, its variable and its danger', async (t) => {
  const page = renderConfigurationPage('configs');
  for (const { group, key, schema } of listSettings()) {
    t.ok(page.includes(`### ${group}.${key}\n\n${schema.description}\n`), `${group}.${key}`);
    if (schema.variable !== undefined) t.ok(page.includes(`- Variable: \`${schema.variable}\``));
    if (schema.danger !== undefined) t.ok(page.includes(`- Danger: ${schema.danger}`));
  }
  t.match(page, /### redis\.url[^#]*- Secret: /);
  t.notMatch(page, 'undefined');
});

t.test('what an environment overrides stands beside the default', async (t) => {
  const dir = t.testdir({
    'default.yaml': 'server: { port: 3000 }',
    'development.yaml': '',
    'staging.yaml': '',
    'production.yaml': 'server: { port: 80 }',
  });
  t.match(renderConfigurationPage(dir), '- Default: `3000`, `80` in production');
});
