import { openRacingRegistry } from './racing-registry.js';

/** A process that changes a registry: `<root> <locked|unlocked> <publish|point|rollback|gc> …`. */
const [root, kind, act, ...args] = process.argv.slice(2) as [
  string,
  'locked' | 'unlocked',
  string,
  ...string[],
];
const { registry, collect } = openRacingRegistry(root, kind);
if (act === 'publish') await registry.publish(args[0]!, { channel: 'candidate' });
else if (act === 'point') await registry.point(args[0]!, args[1]!);
else if (act === 'rollback') await registry.rollback(args[0]!);
else await collect();
