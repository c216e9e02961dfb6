import * as v from 'valibot';
import type { Duration } from './duration.ts';
import type { SettingMetadata } from './settings.ts';

// Every piece of a setting's schema is a plain valibot pipe from text; nothing here is special.

/** A text. */
export const text = (description: string, metadata: SettingMetadata = {}) =>
  v.pipe(v.string(), v.description(description), v.metadata({ ...metadata }));

/** A secret of at least `minLength` characters, readable from `NAME_FILE`. */
export const secret = (
  description: string,
  { minLength = 1, ...metadata }: SettingMetadata & { minLength?: number } = {},
) =>
  v.pipe(
    v.string(),
    v.minLength(minLength),
    v.description(description),
    v.metadata({ secret: true, ...metadata }),
  );

/** A URL with one of these schemes (`'https'`). Secret where it may carry a password. */
export const url = (
  description: string,
  schemes: readonly string[],
  metadata: SettingMetadata = {},
) =>
  v.pipe(
    v.string(),
    v.check(
      (value) =>
        schemes.some((scheme) => value.startsWith(`${scheme}:`)) &&
        (value.startsWith('pglite:') || URL.canParse(value)),
    ),
    v.description(description),
    v.metadata({ ...metadata }),
  );

/** A whole number within bounds. */
export const integer = (description: string, min: number, max: number) =>
  v.pipe(
    v.string(),
    v.regex(/^-?\d{1,15}$/),
    v.transform(Number),
    v.minValue(min),
    v.maxValue(max),
    v.description(`${description} (${min} to ${max})`),
  );

/** `true` or `1`, `false` or `0`. */
export const flag = (description: string) =>
  v.pipe(
    v.picklist(['true', 'false', '1', '0']),
    v.transform((value) => value === 'true' || value === '1'),
    v.description(`${description} (true or false)`),
  );

/** One of these words. */
export const oneOf = <const Words extends readonly [string, ...string[]]>(
  description: string,
  words: Words,
) => v.pipe(v.picklist(words), v.description(`${description} (${words.join(', ')})`));

/** A list of texts, parted by commas; empty when the variable is. */
export const list = (description: string) =>
  v.pipe(
    v.string(),
    v.transform((value): readonly string[] =>
      value
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== ''),
    ),
    v.description(description),
  );

/** A span of time, such as `30s` or `14d`. */
export const duration = (description: string) =>
  v.pipe(
    v.string(),
    v.regex(/^\d+(?:\.\d+)?(?:ms|s|m|h|d)$/),
    v.transform((value) => value as Duration),
    v.description(`${description} (a number and ms, s, m, h or d)`),
  );

/** Keys for `createCipher`, the newest first: `2026:…,2025:…`, each secret of at least 32 characters, readable from `NAME_FILE`. */
export const keys = (description: string, metadata: SettingMetadata = {}) =>
  v.pipe(
    v.string(),
    v.regex(/^[\w-]{1,32}:[^,:\s]{32,}(?:,[\w-]{1,32}:[^,:\s]{32,})*$/),
    v.transform((value) =>
      value.split(',').map((key) => {
        const [id, secret] = key.split(':') as [string, string];
        return { id, secret };
      }),
    ),
    v.description(description),
    v.metadata({ secret: true, ...metadata }),
  );
