import { countStates, type GateResult, type ScenarioResult } from '../result.ts';

/** The run as a JUnit XML document: a suite for each A-ID, a case for each check. */
export function toJunit(result: GateResult): string {
  const { failed } = countStates(result.scenarios);
  const suites = result.scenarios.map(toSuite).join('\n');
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="svc gate ${escape(result.stack)} ${escape(result.runtime)}" failures="${failed}" time="${inSeconds(result.durationMs)}">
${suites}
</testsuites>
`;
}

function toSuite({ id, title, state, reason, durationMs, checks }: ScenarioResult): string {
  const cases =
    checks.length > 0
      ? checks
      : [
          {
            name: title,
            state: state === 'failed' ? 'failed' : 'skipped',
            durationMs,
            error: reason,
          } as const,
        ];
  const body = cases.map((check) => {
    const head = `    <testcase classname="${id}" name="${escape(check.name)}" time="${inSeconds(check.durationMs)}"`;
    if (check.state === 'passed') return `${head}/>`;
    if (check.state === 'skipped')
      return `${head}><skipped message="${escape(reason ?? check.error ?? '')}"/></testcase>`;
    return `${head}><failure>${escape(check.error ?? '')}</failure></testcase>`;
  });
  const count = (wanted: string) => cases.filter((check) => check.state === wanted).length;
  return `  <testsuite name="${id} ${escape(title)}" tests="${cases.length}" failures="${count('failed')}" skipped="${count('skipped')}" time="${inSeconds(durationMs)}">
${body.join('\n')}
  </testsuite>`;
}

const inSeconds = (ms: number) => (ms / 1000).toFixed(3);

// XML 1.0 has no place for most control characters, not even escaped.
function escape(text: string): string {
  return (
    text
      // oxlint-disable-next-line no-control-regex -- these are what is taken out
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, '')
      .replace(
        /[&<>"]/g,
        (letter) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[letter] as string,
      )
  );
}
