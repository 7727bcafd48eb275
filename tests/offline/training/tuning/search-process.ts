import { createLineProgress } from '../../../../src/offline/progress/line-progress.js';
import { searchSmall } from './small-search.js';

// A search in a process of its own, which a test kills: it says on standard output which trial it is at.
await searchSmall(process.argv[2]!, { progress: createLineProgress(process.stdout) });
