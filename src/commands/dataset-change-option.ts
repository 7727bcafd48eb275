import { Option } from 'commander';

/** Lets a channel take a bundle of another dataset. */
export function createDatasetChangeOption(): Option {
  return new Option(
    '--allow-dataset-change',
    'let the channel take a bundle of another dataset than it has; servers that run go on with theirs until they are started again',
  );
}
