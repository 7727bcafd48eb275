import t from 'tap';
import { renderEvaluationReport } from '../../../../src/offline/evaluation/evaluation-report.js';
import { renderReplayTable } from '../../../../src/offline/evaluation/replay/replay-table.js';
import { sampleReplay, sampleResult } from '../sample-result.js';

t.test(
  'the table says what was asked, what the limits left out, and what the intervals allow to say',
  async (t) => {
    t.equal(
      renderReplayTable(sampleReplay(), 10),
      `Replay: 3,711 walks of a user through 9,876 events, at most 1,000 users of each split and 20 events of each (left out: 12 users, 345 events); 9,001 questions for an item that is new to the user.

| pushed                   |      HR@10 ± se | over frozen |      95 % interval |     MRR@10 ± se | over frozen |      95 % interval |
| ------------------------ | --------------: | ----------: | -----------------: | --------------: | ----------: | -----------------: |
| nothing (frozen)         | 0.1069 ± 0.0033 |             |                    | 0.0356 ± 0.0015 |             |                    |
| their own (live)         | 0.1578 ± 0.0033 |     +0.0509 | +0.0429 to +0.0589 | 0.0526 ± 0.0015 |     +0.0255 | +0.0215 to +0.0295 |
| another user’s (control) | 0.0838 ± 0.0033 |     -0.0231 | -0.0311 to -0.0151 | 0.0279 ± 0.0015 |     -0.0115 | -0.0155 to -0.0075 |

- Live is above frozen; the control is not, as it should be.`,
    );
  },
);

t.test('what cannot be told apart, and a control that helps, are said', async (t) => {
  const { arms, ...replay } = sampleReplay();
  const [frozen, live, control] = arms;
  const withLow = (arm: typeof live, low: number): NonNullable<typeof live> => ({
    ...arm!,
    over: { ...arm!.over, mrr: { ...arm!.over.mrr, low } },
  });
  t.match(
    renderReplayTable({ ...replay, arms: [frozen!, withLow(live, -0.001), control!] }, 10),
    'Live cannot be told to be above frozen; the control is not',
  );
  t.match(
    renderReplayTable({ ...replay, arms: [frozen!, live!, withLow(control, 0.001)] }, 10),
    'the control is above it too, so the lead is not of the user’s own events alone',
  );
});

t.test('the report shows it where it was asked for', async (t) => {
  const headline = 'What is it worth to know what people did just now?';
  t.notOk(renderEvaluationReport(sampleResult()).includes(headline));
  const page = renderEvaluationReport(sampleResult({ replay: sampleReplay() }));
  for (const text of [headline, '9,001 questions', 'another user’s (control)', '+0.0429 to +0.0589'])
    t.ok(page.includes(text), text);
});
