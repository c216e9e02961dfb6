import type { Environment } from '@svc/core';
import type { SvcConfig } from './config.ts';

/** One flag of a command. */
export interface Flag {
  /** What its value is called in the help; a flag without one is on or off. */
  readonly value?: string;
  readonly description: string;
}

export type FlagValues = Readonly<Record<string, string | boolean | undefined>>;

/** What a command is run with. */
export interface CommandContext {
  readonly config: SvcConfig;
  readonly environment: Environment;
  readonly flags: FlagValues;
  /** The word after the command, for one that takes it. */
  readonly argument: string | undefined;
  /** Where relative paths begin. */
  readonly cwd: string;
  /** Will not be shown, whatever error quotes it. */
  readonly keepSecret: (secret: string) => void;
  /** Writes data that are too many for a result; resolves when more may come. */
  readonly writeData: (text: string) => Promise<void>;
  /** Tells a person how far it is, on the standard error. */
  readonly tell: (line: string) => void;
}

/** What a command did. */
export interface CommandResult {
  /** For a person, without a line end; nothing where the standard output has the data. */
  readonly text?: string;
  /** For a program, with `--json`. */
  readonly json: object;
  /** @default 0 */
  readonly exitCode?: 0 | 1;
}

export interface Command {
  readonly summary: string;
  /** Beside those that every command has. */
  readonly flags: Readonly<Record<string, Flag>>;
  /** What the word after the command is called in the help. @default it takes none */
  readonly argument?: string;
  /** Whether it works on an app: `when_there` is one that can do without. @default true */
  readonly needsConfig?: boolean | 'when_there';
  run(context: CommandContext): Promise<CommandResult>;
}

/** Commands that belong together: `svc <group> <command>`. */
export interface CommandGroup {
  readonly summary: string;
  readonly commands: Readonly<Record<string, Command>>;
}

/** Flags of every command. */
export const commonFlags: Readonly<Record<string, Flag>> = {
  config: {
    value: 'PATH',
    description: 'the config of the app (default: svc.config.ts, .mts, .js or .mjs in this folder)',
  },
  json: { description: 'answer with one JSON object on the standard output' },
  help: { description: 'show this help' },
};

/** Flags of `svc` itself. */
export const rootFlags: Readonly<Record<string, Flag>> = {
  ...commonFlags,
  version: { description: 'show the version' },
};
