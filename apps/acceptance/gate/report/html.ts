import { countStates, type GateResult, type ScenarioResult } from '../result.ts';

/** The run as one page that needs nothing but itself. */
export function toHtml(result: GateResult): string {
  const { passed, failed, later, notApplicable } = countStates(result.scenarios);
  const verdict = failed === 0 ? 'Fit to ship' : 'Not fit to ship';
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${verdict}: ${escape(result.stack)} on ${escape(result.runtime)}</title>
<style>${css}</style>
<main>
<header class="${failed === 0 ? 'good' : 'bad'}">
<h1>${verdict}</h1>
<p>${escape(result.stack)} on ${escape(result.runtime)}, ${escape(result.startedAt)}, ${seconds(result.durationMs)}</p>
</header>
<ul class="tally"><li><b>${passed}</b> passed<li><b>${failed}</b> failed<li><b>${notApplicable}</b> not applicable<li><b>${later}</b> expected later</ul>
<table>
<thead><tr><th>A-ID<th>Scenario<th>Result<th class="time">Time</tr></thead>
<tbody>
${result.scenarios.map(toRow).join('\n')}
</tbody>
</table>
</main>
</html>
`;
}

function toRow({ id, title, state, reason, durationMs, checks }: ScenarioResult): string {
  const list = checks
    .map(
      (check) =>
        `<li class="${check.state}">${escape(check.name)} <span>${seconds(check.durationMs)}</span>${check.error === undefined ? '' : `<pre>${escape(check.error)}</pre>`}`,
    )
    .join('');
  const details =
    list === ''
      ? escape(title)
      : `<details${state === 'failed' ? ' open' : ''}><summary>${escape(title)}</summary><ul>${list}</ul></details>`;
  const why = reason === undefined ? '' : `<small>${escape(reason)}</small>`;
  const ran = state === 'passed' || state === 'failed';
  return `<tr class="${state.replace(' ', '-')}"><td>${id}<td>${details}${why}<td>${state}<td class="time">${ran ? seconds(durationMs) : ''}</tr>`;
}

const seconds = (ms: number) =>
  ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;

function escape(text: string): string {
  return text.replace(
    /[&<>"]/g,
    (letter) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[letter] as string,
  );
}

const css = `
:root { color-scheme: light dark; --line: #8884; --good: #1a7f37; --bad: #cf222e; --dim: #777; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0; }
main { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
header { border-left: .4rem solid var(--good); padding-left: 1rem; }
header.bad { border-color: var(--bad); }
h1 { margin: 0; } header p { margin: 0; color: var(--dim); }
.tally { display: flex; flex-wrap: wrap; gap: 2rem; list-style: none; padding: 0; }
.tally b { font-size: 1.6rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .4rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
.time { text-align: right; white-space: nowrap; }
tr.passed td:nth-child(3) { color: var(--good); } tr.failed td:nth-child(3) { color: var(--bad); font-weight: 600; }
tr.later, tr.not-applicable { color: var(--dim); }
small { display: block; } details ul { margin: .3rem 0; padding-left: 1.2rem; } li span { color: var(--dim); }
li.failed { color: var(--bad); } pre { white-space: pre-wrap; font-size: 12px; color: inherit; }
`;
