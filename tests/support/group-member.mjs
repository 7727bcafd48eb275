// A server process of a group without a server: says what one says, and does what the test asks for with its arguments.
const [behaviour] = process.argv.slice(2);
if (behaviour === 'fails') process.exit(3);
let version = 1;
const bundle = () => ({ description: { version: String(version) }, views: {} });
process.on('message', ({ order, id, asked: { question, about } = {}, change }) => {
  if (order === 'ping') process.send({ report: 'alive' });
  if (order === 'quarantine')
    process.send({ report: 'changed', bundle: { description: { version: change.keys.join() }, views: {} } });
  if (order === 'listen') process.send({ report: 'serving', url: 'http://here' });
  if (order === 'stop') process.exit(behaviour === 'ends unclean' ? 1 : 0);
  if (order !== 'answer') return;
  if (behaviour === 'stops when asked') process.kill(process.pid, 'SIGSTOP');
  if (behaviour === 'dies when asked' && question !== 'alive') process.kill(process.pid, 'SIGKILL');
  if (behaviour === 'refuses' && question !== 'alive') {
    const error = {
      name: 'Error',
      message: 'no',
      shortlist: { code: 'INVALID_BUNDLE', summary: 'no', problems: [] },
    };
    process.send({ report: 'failed', id, error });
    return;
  }
  if (question === 'reload') version++;
  const answers = {
    alive: true,
    reload: bundle(),
    metrics: [process.pid],
    inspect: { about },
    items: { about },
  };
  process.send({ report: 'answered', id, answer: answers[question] });
});
process.send({ report: 'open', bundle: bundle() });
