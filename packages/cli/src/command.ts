import { parseArgs } from 'node:util';
import type { Environment } from '@svc/core';

/** Where a command writes, and what it is started with. */
export interface CommandContext {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  readonly environment: Environment;
  readonly folder: string;
}

export interface Flag {
  readonly type: 'string' | 'boolean';
  readonly description: string;
  /** What stands for its value in the help. */
  readonly value?: string;
}

export type FlagValues = Readonly<Record<string, string | boolean | undefined>>;

/** One thing that `svc` does. */
export interface Command {
  /** As it is typed: `db migrate`. */
  readonly name: string;
  readonly summary: string;
  readonly flags: Readonly<Record<string, Flag>>;
  /** Answers the exit code. */
  run(flags: FlagValues, context: CommandContext): Promise<number>;
}

/** Wrong words on the command line; the message says which. */
export class UsageError extends Error {
  override name = 'UsageError';
}

const commonFlags: Readonly<Record<string, Flag>> = {
  config: { type: 'string', value: 'PATH', description: 'the configuration (default: svc.config.ts in this folder)' },
  json: { type: 'boolean', description: 'print JSON for programs' },
  help: { type: 'boolean', description: 'print this text' },
};

export const flagsOf = (command: Command): Readonly<Record<string, Flag>> => ({ ...command.flags, ...commonFlags });

/** The values of a command's flags. @throws {UsageError} */
export function parseFlags(command: Command, argv: readonly string[]): FlagValues {
  const options = Object.fromEntries(Object.entries(flagsOf(command)).map(([name, { type }]) => [name, { type }]));
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: false }).values as FlagValues;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
