import { type Command, flagsOf } from './command.ts';

/** What there is, for `svc --help`, or for a group: `svc db --help`. */
export function overview(commands: readonly Command[], group = ''): string {
  const lines = commands.filter(({ name }) => group === '' || name.startsWith(`${group} `)).map(({ name, summary }) => `  svc ${name.padEnd(16)} ${summary}`);
  return `Usage: svc ${group === '' ? '<command>' : `${group} <command>`} [flags]\n\n${lines.join('\n')}\n\nEvery command takes --config PATH, --json and --help.\nExit codes: 0 done, 1 failed, 2 wrong usage, 78 bad settings.\n`;
}

/** One command and its flags. */
export function usage(command: Command): string {
  const flags = Object.entries(flagsOf(command)).map(([name, { value, description }]) => {
    const flag = value === undefined ? `--${name}` : `--${name} ${value}`;
    return `  ${flag.padEnd(28)} ${description}`;
  });
  return `Usage: svc ${command.name} [flags]\n\n${command.summary}\n\n${flags.join('\n')}\n`;
}
