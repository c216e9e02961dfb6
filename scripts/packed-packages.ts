import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { packMember } from './pack.ts';
import { runTool } from './run-tool.ts';
import { members } from './workspace.ts';

// What is published is the tarball, so the tarball is what is looked at.
const folder = mkdtempSync(join(tmpdir(), 'svc-packed-'));
try {
  for (const member of members('packages')) {
    const tarball = await packMember(member, folder);
    for (const [command, ...args] of [
      ['publint', '--strict', tarball],
      ['attw', tarball, '--profile', 'esm-only', '--no-color', '--no-emoji'],
    ] as [string, ...string[]][]) {
      const { exitCode, output } = await runTool(command, args);
      if (exitCode === 0) continue;
      console.log(`${command} on ${basename(tarball)}:\n${output}\n`);
      process.exitCode = 1;
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
