import { parseArgs } from 'node:util';
import {
  type Command,
  type CommandGroup,
  commonFlags,
  type Flag,
  type FlagValues,
  rootFlags,
} from './command.ts';
import { UsageError } from './usage-error.ts';

type Groups = Readonly<Record<string, CommandGroup>>;

/** What was asked for: as much of `svc <group> <command>` as was named. */
export interface Request {
  readonly path: readonly string[];
  readonly group: CommandGroup | undefined;
  readonly command: Command | undefined;
  readonly argument: string | undefined;
  readonly flags: FlagValues;
}

/** Reads the arguments. @throws {UsageError} on a command, flag or value that does not exist. */
export function parseArguments(argv: readonly string[], groups: Groups): Request {
  // First only to find the words between the flags: which flags there are depends on the command they name.
  const { positionals: words } = parseArgs({
    args: [...argv],
    options: toOptions(everyFlag(groups)),
    allowPositionals: true,
    strict: false,
  });
  const [groupName, commandName, ...others] = words;
  const group = lookUp(groups, groupName, 'svc');
  const command = lookUp(group?.commands ?? {}, commandName, `svc ${groupName}`);
  const [argument, ...rest] = command?.argument === undefined ? [undefined, ...others] : others;
  if (rest.length > 0)
    throw new UsageError(`svc ${groupName} ${commandName} takes no '${rest[0]}'`);
  const flags =
    command === undefined
      ? group === undefined
        ? rootFlags
        : commonFlags
      : { ...commonFlags, ...command.flags };
  const path = words.slice(0, 2);
  return { path, group, command, argument, flags: parseFlags(argv, flags) };
}

function lookUp<Entry>(
  entries: Readonly<Record<string, Entry>>,
  name: string | undefined,
  parent: string,
): Entry | undefined {
  if (name === undefined) return undefined;
  if (!Object.hasOwn(entries, name)) {
    throw new UsageError(
      `${parent} has no command '${name}'; it has: ${Object.keys(entries).join(', ')}`,
    );
  }
  return entries[name];
}

function parseFlags(argv: readonly string[], flags: Readonly<Record<string, Flag>>): FlagValues {
  try {
    return parseArgs({ args: [...argv], options: toOptions(flags), allowPositionals: true })
      .values as FlagValues;
  } catch (error) {
    // parseArgs throws TypeErrors whose first sentence is for the person who typed.
    throw new UsageError(String((error as Error).message).split('. ')[0] as string);
  }
}

function everyFlag(groups: Groups): Readonly<Record<string, Flag>> {
  const commands = Object.values(groups).flatMap((group) => Object.values(group.commands));
  return Object.assign({}, rootFlags, ...commands.map(({ flags }) => flags));
}

function toOptions(flags: Readonly<Record<string, Flag>>) {
  return Object.fromEntries(
    Object.entries(flags).map(([name, { value }]) => [
      name,
      { type: value === undefined ? ('boolean' as const) : ('string' as const) },
    ]),
  );
}
