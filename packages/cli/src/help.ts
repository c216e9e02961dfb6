import { type CommandGroup, commonFlags, type Flag, rootFlags } from './command.ts';
import type { Request } from './arguments.ts';

/** The help of what was asked for: `svc`, a group, or a command. */
export function helpFor(
  { path, group, command }: Request,
  groups: Readonly<Record<string, CommandGroup>>,
): string {
  const name = ['svc', ...path].join(' ');
  if (command !== undefined) {
    const argument = command.argument === undefined ? '' : ` ${command.argument}`;
    return page(`${name}${argument} [flags]`, command.summary, [
      section('Flags', flagRows({ ...command.flags, ...commonFlags })),
    ]);
  }
  if (group !== undefined) {
    return page(`${name} <command> [flags]`, group.summary, [
      section('Commands', summaryRows(group.commands)),
      section('Flags', flagRows(commonFlags)),
    ]);
  }
  return page('svc <group> <command> [flags]', 'Works on a svc app.', [
    ...Object.entries(groups).map(([title, { commands }]) =>
      section(`svc ${title}`, summaryRows(commands)),
    ),
    section('Flags', flagRows(rootFlags)),
    'Exit codes\n  0   done\n  1   failed\n  2   not called as it must be\n  78  the settings are not valid\n',
  ]);
}

function page(usage: string, summary: string, sections: readonly string[]): string {
  return `${summary}\n\nUsage: ${usage}\n\n${sections.join('\n')}`;
}

function section(title: string, rows: readonly (readonly [string, string])[]): string {
  return `${title}\n${alignRows(rows)
    .map((line) => `  ${line}\n`)
    .join('')}`;
}

function summaryRows(entries: Readonly<Record<string, { summary: string }>>): [string, string][] {
  return Object.entries(entries).map(([name, { summary }]) => [name, summary]);
}

function flagRows(flags: Readonly<Record<string, Flag>>): [string, string][] {
  return Object.entries(flags).map(([name, { value, description }]) => [
    `--${name}${value === undefined ? '' : ` ${value}`}`,
    description,
  ]);
}

/** Columns, two blanks apart. */
export function alignRows(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] as number))
      .join('  ')
      .trimEnd(),
  );
}
