import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Reporter, TestCase, TestModule } from 'vitest/node';
import { startVitest } from 'vitest/node';
import { appFolder } from './places.ts';
import type { CheckResult } from './result.ts';

const scenariosFolder = join(appFolder, 'scenarios');

/** The scenario files by A-ID: `a1-01-sign-in.test.ts` shows A1-01. */
export function scenarioFiles(): Map<string, string> {
  const files = readdirSync(scenariosFolder).filter((file) => file.endsWith('.test.ts'));
  return new Map(files.map((file) => [idOf(file), join(scenariosFolder, file)]));
}

export interface RunScenariosOptions {
  readonly files: readonly string[];
  /** Whether two of the files may run at once. */
  readonly parallel: boolean;
  readonly environment: Record<string, string>;
  readonly onScenario: (id: string, checks: CheckResult[], durationMs: number) => void;
  readonly onScenarioStart: (id: string) => void;
}

/** Runs scenario files against the app that they share. */
export async function runScenarios({
  files,
  parallel,
  environment,
  onScenario,
  onScenarioStart,
}: RunScenariosOptions): Promise<() => Promise<void>> {
  const reporter: Reporter = {
    onTestModuleStart: (module) => onScenarioStart(idOf(module.moduleId)),
    onTestModuleEnd(module: TestModule) {
      const checks = [...module.children.allTests()].map(toCheck);
      // A file that cannot be loaded has no tests, only errors.
      const errors = [
        ...module.errors(),
        ...[...module.children.allSuites()].flatMap((suite) => suite.errors()),
      ];
      for (const error of errors)
        checks.push({
          name: 'the scenario itself',
          state: 'failed',
          durationMs: 0,
          error: error.stack ?? error.message,
        });
      onScenario(idOf(module.moduleId), checks, module.diagnostic().duration);
    },
  };
  const vitest = await startVitest('test', [], {
    config: false,
    root: appFolder,
    include: [...files],
    watch: false,
    pool: 'threads',
    isolate: false,
    fileParallelism: parallel,
    maxWorkers: parallel ? 2 : 1,
    passWithNoTests: true,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    env: environment,
    reporters: [reporter],
    coverage: { enabled: false },
  });
  return () => vitest.close();
}

function toCheck(test: TestCase): CheckResult {
  const result = test.result();
  const state = result.state === 'pending' ? 'failed' : result.state;
  const error = result.errors?.map((each) => `${each.message}\n${each.stack ?? ''}`).join('\n');
  return {
    name: test.fullName,
    state,
    durationMs: test.diagnostic()?.duration ?? 0,
    ...(error !== undefined && { error }),
  };
}

function idOf(file: string): string {
  return (/^(a\d+(?:-\d+)?|x-\d+)/.exec(basename(file))?.[1] ?? basename(file)).toUpperCase();
}
