import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCli } from '@svc/cli';

/** A folder with a config in it, and the command run there. */
export interface Project extends AsyncDisposable {
  readonly folder: string;
  run(...argv: string[]): Promise<{ exitCode: number; stdout: string; stderr: string }>;
}

export async function createProject(
  files: Readonly<Record<string, string>> = {},
  environment: Readonly<Record<string, string>> = {},
): Promise<Project> {
  const folder = await mkdtemp(join(tmpdir(), 'svc-cli-'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return {
    folder,
    async run(...argv) {
      const written = { stdout: '', stderr: '' };
      const into = (stream: keyof typeof written) => ({
        write: (text: string) => (written[stream] += text),
      });
      const exitCode = await runCli(argv, {
        stdout: into('stdout'),
        stderr: into('stderr'),
        environment,
        cwd: folder,
      });
      return { exitCode, ...written };
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}
