import { EventEmitter, once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type Environment, exitCodeBadSettings, type SettingIssue } from '@svc/core';
import { parseArguments } from './arguments.ts';
import { auditCommands } from './commands/audit.ts';
import { dbCommands } from './commands/db.ts';
import { jobsCommands } from './commands/jobs.ts';
import { tenantsCommands } from './commands/tenants.ts';
import type { Command } from './command.ts';
import { withoutApp } from './config.ts';
import { helpFor } from './help.ts';
import { hasConfig, loadConfig } from './load-config.ts';
import { processEnvironment } from './settings.ts';
import { UsageError } from './usage-error.ts';

const groups = {
  db: dbCommands,
  jobs: jobsCommands,
  audit: auditCommands,
  tenants: tenantsCommands,
};

/** Where a command writes. */
export interface TextOutput {
  write(text: string): unknown;
}

export interface CliOptions {
  stdout: TextOutput;
  stderr: TextOutput;
  /** @default the process's */
  environment?: Environment;
  /** Where the config is looked for. */
  cwd: string;
}

/**
 * Runs `svc` with these arguments; gives its exit code: 0 done, 1 failed, 2 not called as it must be, 78 bad settings.
 * Never throws, asks nothing, and shows no stack and no password.
 */
export async function runCli(argv: readonly string[], options: CliOptions): Promise<number> {
  const { stdout, stderr, environment = processEnvironment(), cwd } = options;
  const secrets = new Set<string>();
  const json = argv.includes('--json');
  try {
    const request = parseArguments(argv, groups);
    const { command, flags, argument } = request;
    if (flags['help'] === true) return print(stdout, helpFor(request, groups));
    if (flags['version'] === true) return print(stdout, `${ownVersion()}\n`);
    if (command === undefined)
      throw new UsageError(`which command? Try svc ${[...request.path, '--help'].join(' ')}`);
    const path = flags['config'] as string | undefined;
    const config = isWithoutApp(command, cwd, path) ? withoutApp : await loadConfig(cwd, path);
    const keepSecret = (secret: string) => void secrets.add(secret);
    const writeData = (text: string) => writeAll(stdout, text);
    const tell = (line: string) => void stderr.write(`${line}\n`);
    const means = { environment, flags, argument, cwd, keepSecret, writeData, tell };
    const result = await command.run({ config, ...means });
    if (result.text === undefined && !json) return result.exitCode ?? 0;
    const { exitCode = 0 } = result;
    const answer = { ok: exitCode === 0, ...result.json };
    print(stdout, json ? `${JSON.stringify(answer)}\n` : `${result.text}\n`);
    return exitCode;
  } catch (error) {
    const report = reportOf(error);
    const message = [...secrets].reduce(
      (shown, secret) => shown.replaceAll(secret, '***'),
      report.error.message,
    );
    if (json)
      stdout.write(`${JSON.stringify({ ok: false, error: { ...report.error, message } })}\n`);
    else stderr.write(`${message}\n`);
    return report.exitCode;
  }
}

const isWithoutApp = ({ needsConfig }: Command, cwd: string, path: string | undefined): boolean =>
  needsConfig === false || (needsConfig === 'when_there' && !hasConfig(cwd, path));

// A pipe takes what it can: what is read faster than it is taken away would pile up.
async function writeAll(output: TextOutput, text: string): Promise<void> {
  if (output.write(text) === false && output instanceof EventEmitter) await once(output, 'drain');
}

function print(output: TextOutput, text: string): number {
  output.write(text);
  return 0;
}

interface Report {
  exitCode: number;
  error: { code: string; message: string; issues?: readonly SettingIssue[] };
}

function reportOf(error: unknown): Report {
  if (error instanceof UsageError) {
    return { exitCode: 2, error: { code: 'cli.usage', message: `svc: ${error.message}` } };
  }
  // By name: the app may have another copy of core than this command.
  if (error instanceof Error && error.name === 'InvalidSettings' && 'issues' in error) {
    const issues = error.issues as readonly SettingIssue[];
    return {
      exitCode: exitCodeBadSettings,
      error: { code: 'cli.invalid_settings', message: error.message, issues },
    };
  }
  const code = error instanceof Error && '~failure' in error ? error.name : 'cli.failed';
  return { exitCode: 1, error: { code, message: `svc: ${messagesOf(error).join(' ')}` } };
}

// A failure's title is for strangers; what went wrong stands in its causes.
function messagesOf(error: unknown): string[] {
  if (!(error instanceof Error)) return [String(error)];
  const deeper = error.cause === undefined ? [] : messagesOf(error.cause);
  const message = error.message || error.name;
  return deeper.every((each) => message.includes(each)) ? [message] : [message, ...deeper];
}

function ownVersion(): string {
  const manifest = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  ) as { version: string };
  return manifest.version;
}
