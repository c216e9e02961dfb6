import { createConfig, lintFromString } from '@redocly/openapi-core';
import spectralCore from '@stoplight/spectral-core';
import owaspRuleset from '@stoplight/spectral-owasp-ruleset';
import spectralRulesets from '@stoplight/spectral-rulesets';
import { exceptions, switchedOff } from './lint-exceptions.ts';

/** What a linter says of one place of a document. */
export interface LintFinding {
  readonly rule: string;
  readonly path: readonly string[];
  readonly message: string;
}

/**
 * The findings of Spectral (OpenAPI and OWASP rules) and Redocly (recommended, strict) in a document but those that are
 * excepted with a reason; an exception that excepts nothing is a finding, too.
 */
export async function lintDocument(whole: object): Promise<string[]> {
  const document = withoutExamples(whole);
  const findings = [...(await runSpectral(document)), ...(await runRedocly(document))];
  const used = new Set<string>();
  const left = findings.filter((finding) => {
    const exception = exceptions.find(
      ({ rule, where = () => true }) => rule === finding.rule && where(finding, document),
    );
    if (exception !== undefined) used.add(exception.rule);
    return exception === undefined;
  });
  return [
    ...left.map(({ rule, path, message }) => `${rule} at ${path.join('/')}: ${message}`),
    ...exceptions
      .filter(({ rule }) => !used.has(rule))
      .map(({ rule }) => `${rule} is excepted for nothing`),
  ];
}

/** A thousand examples of problems are most of a document, and A9-01 checks each against its schema. */
function withoutExamples(document: object): object {
  const text = JSON.stringify(document, (key, value: unknown) =>
    key === 'examples' ? undefined : value,
  );
  return JSON.parse(text) as object;
}

async function runSpectral(document: object): Promise<LintFinding[]> {
  const spectral = new spectralCore.Spectral();
  const owasp = (owaspRuleset as unknown as { default?: unknown }).default ?? owaspRuleset;
  const extending = [spectralRulesets.oas, [owasp, 'all']];
  const rules = Object.fromEntries(Object.keys(switchedOff).map((rule) => [rule, 'off']));
  spectral.setRuleset({ extends: extending, rules } as Parameters<typeof spectral.setRuleset>[0]);
  const results = await spectral.run(document as Record<string, unknown>);
  return results.map(({ code, path, message }) => ({
    rule: String(code),
    path: path.map(String),
    message,
  }));
}

async function runRedocly(document: object): Promise<LintFinding[]> {
  const config = await createConfig({ extends: ['recommended-strict'] });
  const source = JSON.stringify(document);
  const results = await lintFromString({ source, absoluteRef: '/openapi.json', config });
  return results.map(({ ruleId, location: [place], message }) => ({
    rule: `redocly:${ruleId}`,
    path: (place?.pointer ?? '').split('/').slice(1),
    message,
  }));
}
