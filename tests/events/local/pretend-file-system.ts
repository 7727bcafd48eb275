import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

// Loaded before a program (`--import`): every folder is on the file system with the number of FILE_SYSTEM.
const { statfsSync } = fs;
const pretending = (path: string): fs.StatsFs => {
  const found = statfsSync(path);
  return Object.assign(found, { type: Number(process.env['FILE_SYSTEM']) });
};
Object.assign(fs, { statfsSync: pretending });
syncBuiltinESMExports();
