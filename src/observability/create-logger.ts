import { pino, type DestinationStream, type LevelWithSilent, type Logger } from 'pino';
import { escapeControls } from './escape-controls.js';

export interface LoggerOptions {
  readonly level: LevelWithSilent;
  /**
   * `async` hands lines to the kernel off the event loop and flushes on exit: for servers.
   * `sync` has each line out before the call returns: for commands that end by themselves.
   */
  readonly writing: 'async' | 'sync';
  /** A file path, or a file descriptor; 1, stdout, when not said. */
  readonly destination?: string | number;
}

// Paths are spelled out: wildcards doubled the cost of a line (3.6 to 8.2 µs), these cost nothing measurable.
const SECRETS = ['authorization', 'cookie', 'password', 'secret', 'token'];
const REDACTED = [
  ...SECRETS,
  ...SECRETS.flatMap((name) => [`headers.${name}`, `req.headers.${name}`, `err.${name}`]),
  'headers["x-api-key"]',
  'req.headers["x-api-key"]',
];

/**
 * A logger of one JSON object per line: `level` in words, `time` in ISO 8601, secrets replaced by `[redacted]`,
 * control and direction characters escaped, so that no value can forge a line or steer a terminal.
 */
export function createLogger(options: LoggerOptions): Logger {
  const sink = pino.destination({ dest: options.destination ?? 1, sync: options.writing === 'sync' });
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
      redact: { paths: REDACTED, censor: '[redacted]' },
    },
    escaping(sink),
  );
}

function escaping(sink: DestinationStream): DestinationStream {
  return { write: (line) => sink.write(escapeControls(line)) };
}
