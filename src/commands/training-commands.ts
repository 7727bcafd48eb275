import { createCompareCommand } from './compare.js';
import { createDemoDataCommand } from './demo-data.js';
import { createDownloadCommand } from './download.js';
import { createEvaluateCommand } from './evaluate.js';
import { createExportTrainingSetCommand } from './export-training-set.js';
import { createImportEncoderCommand } from './import-encoder.js';
import { createImportRankerCommand } from './import-ranker.js';
import { createInitCommand } from './init.js';
import { createPrepareCommand } from './prepare.js';
import { createTrainCommand } from './train.js';

/** Commands from files of interactions to a trained bundle and its evaluation, in the order in which a person meets them. */
export const TRAINING_COMMANDS = [
  createDemoDataCommand,
  createDownloadCommand,
  createInitCommand,
  createPrepareCommand,
  createImportEncoderCommand,
  createTrainCommand,
  createExportTrainingSetCommand,
  createImportRankerCommand,
  createEvaluateCommand,
  createCompareCommand,
];
