import { readFileSync } from 'node:fs';
import * as v from 'valibot';

/** What a process is started with. */
export type Environment = Readonly<Record<string, string | undefined>>;

type CamelCase<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Lowercase<Head>}${Capitalize<CamelCase<Tail>>}`
  : Lowercase<Name>;

type SettingsSchema = v.ObjectSchema<v.ObjectEntries, undefined>;

/** The settings of a schema, under camelCase names: `DATABASE_URL` is read as `databaseUrl`. */
export type Settings<Schema extends SettingsSchema> = {
  readonly [Name in keyof Schema['entries'] & string as CamelCase<Name>]: v.InferOutput<
    Schema['entries'][Name]
  >;
};

/** What a setting says of itself beside its schema, with `v.metadata`. */
export interface SettingMetadata {
  /** May be read from the file that `NAME_FILE` names, and is never shown. */
  readonly secret?: true;
  /** Has no default where `APP_ENV` is `production`. */
  readonly requiredInProduction?: true;
}

/** One fault in the environment. */
export interface SettingIssue {
  readonly variable: string;
  readonly problem: 'missing' | 'invalid' | 'unreadable';
  /** What was expected, in words; never the value. */
  readonly expected: string;
}

/** The environment is not fit to start with; its message lists every fault and no value. */
export class InvalidSettings extends Error {
  readonly issues: readonly SettingIssue[];
  constructor(issues: readonly SettingIssue[]) {
    const lines = issues.map((i) => `  ${i.variable} is ${i.problem}: expected ${i.expected}`);
    super(`The settings are not valid:\n${lines.join('\n')}`);
    this.name = 'InvalidSettings';
    this.issues = issues;
  }
}

/** What `sysexits.h` calls EX_CONFIG: the exit code for bad settings. */
export const exitCodeBadSettings = 78;

export interface ParseSettingsOptions {
  /** How a `*_FILE` is read. @default readFileSync */
  readFile?: (path: string) => string;
}

/**
 * Reads settings from an environment by a valibot object schema keyed by variable name. An empty
 * variable counts as absent; where metadata says `secret`, `NAME_FILE` may name a file that holds
 * the value (its last line end is dropped).
 *
 * @throws {InvalidSettings} that lists every bad or missing variable at once.
 */
export function parseSettings<const Schema extends SettingsSchema>(
  schema: Schema,
  environment: Environment,
  { readFile = (path) => readFileSync(path, 'utf8') }: ParseSettingsOptions = {},
): Settings<Schema> {
  const issues: SettingIssue[] = [];
  const settings: Record<string, unknown> = {};
  const inProduction = environment['APP_ENV'] === 'production';
  for (const [variable, entry] of Object.entries(schema.entries)) {
    const metadata = settingMetadata(entry);
    const expected = expectationOf(entry);
    const raw = readVariable(environment, variable, metadata, readFile);
    if (raw === unreadable) {
      issues.push({
        variable: `${variable}_FILE`,
        problem: 'unreadable',
        expected: 'a readable file',
      });
    } else if (raw === ambiguous) {
      issues.push({
        variable,
        problem: 'invalid',
        expected: `only one of it and ${variable}_FILE`,
      });
    } else if (raw === undefined && inProduction && metadata.requiredInProduction === true) {
      issues.push({ variable, problem: 'missing', expected });
    } else {
      const result = v.safeParse(entry as v.GenericSchema, raw);
      if (result.success) settings[camelCase(variable)] = result.output;
      else issues.push({ variable, problem: raw === undefined ? 'missing' : 'invalid', expected });
    }
  }
  if (issues.length > 0) throw new InvalidSettings(issues);
  return settings as Settings<Schema>;
}

/** One variable of a schema, for a page or a file that lists them. */
export interface SettingDescription {
  readonly variable: string;
  readonly description: string;
  readonly default: string | undefined;
  readonly secret: boolean;
  readonly requiredInProduction: boolean;
}

/** The variables of a schema, in order: what `.env.example` and the README tables are made from. */
export function describeSettings(schema: SettingsSchema): SettingDescription[] {
  return Object.entries(schema.entries).map(([variable, entry]) => {
    const metadata = settingMetadata(entry);
    const fallback = v.getDefault(entry as v.GenericSchema);
    return {
      variable,
      description: expectationOf(entry),
      default: fallback === undefined || fallback === null ? undefined : String(fallback),
      secret: metadata.secret === true,
      requiredInProduction: metadata.requiredInProduction === true,
    };
  });
}

const unreadable = Symbol('unreadable');
const ambiguous = Symbol('ambiguous');

function readVariable(
  environment: Environment,
  variable: string,
  metadata: SettingMetadata,
  readFile: (path: string) => string,
): string | undefined | typeof unreadable | typeof ambiguous {
  const value = environment[variable] || undefined;
  const file = metadata.secret === true ? environment[`${variable}_FILE`] || undefined : undefined;
  if (file === undefined) return value;
  if (value !== undefined) return ambiguous;
  try {
    return readFile(file).replace(/\r?\n$/, '') || undefined;
  } catch {
    return unreadable;
  }
}

function settingMetadata(entry: unknown): SettingMetadata {
  return v.getMetadata(inner(entry) as v.GenericSchema) as SettingMetadata;
}

function expectationOf(entry: unknown): string {
  return v.getDescription(inner(entry) as v.GenericSchema) ?? 'a value';
}

// Descriptions and metadata stand in the pipe, which `v.optional` wraps.
function inner(entry: unknown): unknown {
  return typeof entry === 'object' && entry !== null && 'wrapped' in entry ? entry.wrapped : entry;
}

function camelCase(variable: string): string {
  return variable.toLowerCase().replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}
