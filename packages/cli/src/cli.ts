import { exitCodeBadSettings, InvalidSettings } from '@svc/core';
import { type Command, type CommandContext, parseFlags, UsageError } from './command.ts';
import { ConfigNotUsable } from './config.ts';
import { dbCommands } from './db-commands.ts';
import { overview, usage } from './help.ts';

const commands: readonly Command[] = dbCommands;

/** Runs `svc` with these arguments; answers the exit code: 0 done, 1 failed, 2 wrong usage, 78 bad settings. */
export async function runCli(argv: readonly string[], context: CommandContext): Promise<number> {
  try {
    return await dispatch(argv, context);
  } catch (error) {
    return report(error, context);
  }
}

async function dispatch(argv: readonly string[], context: CommandContext): Promise<number> {
  const [group = '', verb = ''] = argv;
  if (group === '' || group === '--help' || group === 'help') {
    context.stdout.write(overview(commands));
    return 0;
  }
  if (!commands.some(({ name }) => name.startsWith(`${group} `))) {
    throw new UsageError(`there is no command ${group}\n\n${overview(commands)}`);
  }
  if (verb === '' || verb === '--help') {
    context.stdout.write(overview(commands, group));
    return verb === '' ? 2 : 0;
  }
  const command = commands.find(({ name }) => name === `${group} ${verb}`);
  if (command === undefined) throw new UsageError(`there is no command ${group} ${verb}\n\n${overview(commands, group)}`);
  const flags = parseFlags(command, argv.slice(2));
  if (flags['help'] === true) {
    context.stdout.write(usage(command));
    return 0;
  }
  return command.run(flags, context);
}

function report(error: unknown, { stderr }: CommandContext): number {
  if (error instanceof InvalidSettings) {
    stderr.write(`${error.message}\n`);
    return exitCodeBadSettings;
  }
  if (error instanceof UsageError) {
    stderr.write(`svc: ${error.message}\n`);
    return 2;
  }
  // An expected refusal needs no stack trace; anything else is a bug, and its trace helps.
  const expected = error instanceof ConfigNotUsable || (error instanceof Error && ('~failure' in error || /^(?:Migration|Database|Query)/.test(error.name)));
  const text = expected ? (error as Error).message : error instanceof Error ? (error.stack ?? error.message) : String(error);
  stderr.write(`svc: ${text}\n`);
  return 1;
}
