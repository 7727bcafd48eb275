import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import type { AddressInfo, Server } from 'node:net';
import S3rver from 's3rver';
import type { Test } from 'tap';

/** Starts an S3 server with an empty bucket, whose files lie in `folder`; it ends with the test. */
export async function startS3(
  t: Test,
  { bucket, folder }: { bucket: string; folder: string },
): Promise<{ endpoint: string; stop: () => Promise<void> }> {
  await mkdir(folder, { recursive: true });
  process.env['AWS_ACCESS_KEY_ID'] = 'S3RVER';
  process.env['AWS_SECRET_ACCESS_KEY'] = 'S3RVER';
  process.env['AWS_REGION'] = 'us-east-1';
  const s3 = new S3rver({
    address: '127.0.0.1',
    port: 0,
    silent: true,
    directory: folder,
    configureBuckets: [{ name: bucket, configs: [] }],
  });
  const { port } = (await s3.run()) as AddressInfo;
  const server = (s3 as unknown as { httpServer: Server }).httpServer;
  const stop = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    (server as unknown as { closeAllConnections(): void }).closeAllConnections();
    await closed;
  };
  t.teardown(stop);
  return { endpoint: `http://127.0.0.1:${port}`, stop };
}
