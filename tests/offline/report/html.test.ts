import t from 'tap';

import { html } from '../../../src/offline/report/html.js';

t.test('texts are escaped, markup and lists of markup are not', async (t) => {
  const inner = html`<b>${'<&>"\''}</b>`;
  t.equal(inner.text, '<b>&lt;&amp;&gt;&quot;&#39;</b>');
  t.equal(html`<p>${inner} ${7} ${[inner, html`!`]}</p>`.text, `<p>${inner.text} 7 ${inner.text}!</p>`);
});
