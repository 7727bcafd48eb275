import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  TRIALS_PER_CANDIDATES,
  TUNED_PARAMETERS,
} from '../../src/offline/training/tuning/tuned-parameters.js';
import { REPOSITORY } from './markdown-pages.js';

t.test('docs/training.md lists the parameters of a trial, with their ranges', async (t) => {
  const page = readFileSync(join(REPOSITORY, 'docs/training.md'), 'utf8');
  const rows = [...page.matchAll(/^\| `(\S+)`\s*\|\s*(\S+)\s*\|\s*(\S+)\s*\|\s*(\S+)\s*\|$/gm)];
  t.same(
    rows.map(([, name, least, most, over]) => ({ name, least: Number(least), most: Number(most), over })),
    TUNED_PARAMETERS.map(({ name, least, most, scale }) => ({
      name,
      least,
      most,
      over: scale === 'linear' ? 'differences' : 'ratios',
    })),
  );
  t.equal(TRIALS_PER_CANDIDATES, 4);
  t.match(page, /four trials share theirs/);
});
