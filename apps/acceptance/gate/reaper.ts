// Waits until the gate is gone, then ends and removes what it left. Fed with JSON lines on standard input.
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';

const pids = new Set<number>();
const folders = new Set<string>();

// Ctrl-C reaches every process of the terminal; the reaper has work left to do then.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);

for await (const line of createInterface({ input: process.stdin })) {
  const message = JSON.parse(line) as { pid?: number; gone?: number; folder?: string };
  if (message.pid !== undefined) pids.add(message.pid);
  if (message.gone !== undefined) pids.delete(message.gone);
  if (message.folder !== undefined) folders.add(message.folder);
}

for (const pid of pids) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}
for (const folder of folders)
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
