import { styleText } from 'node:util';
import { countStates, type GateResult, type ScenarioResult } from '../result.ts';

/** Tells a person at the terminal what is going on. */
export interface Progress {
  step(text: string): void;
  running(id: string): void;
  done(result: ScenarioResult): void;
}

const marks = {
  passed: styleText('green', '✓'),
  failed: styleText('red', '✗'),
  later: styleText('dim', '·'),
  'not applicable': styleText('yellow', '–'),
} as const;

export function terminalProgress(output: NodeJS.WriteStream = process.stdout): Progress {
  const transient = (text: string) => {
    if (output.isTTY) output.write(`\r\x1b[2K${text}`);
  };
  return {
    step(text) {
      transient('');
      output.write(`${styleText('dim', `  ${text}`)}\n`);
    },
    running: (id) => transient(`  … ${id}`),
    done(result) {
      transient('');
      // What comes later is counted at the end; a line for each would hide those that ran.
      if (result.state !== 'later') output.write(`${line(result)}\n`);
    },
  };
}

function line({ id, title, state, durationMs, reason, checks }: ScenarioResult): string {
  const time = state === 'passed' || state === 'failed' ? seconds(durationMs) : '';
  const head = `  ${marks[state]} ${id.padEnd(6)} ${title.padEnd(58)} ${time.padStart(7)}`;
  const failed = checks.filter((check) => check.state !== 'passed');
  return [
    reason === undefined ? head.trimEnd() : `${head.trimEnd()}  ${styleText('dim', reason)}`,
    ...failed.map(
      (check) => styleText('red', `      ${check.name}\n`) + indent(check.error ?? check.state),
    ),
  ].join('\n');
}

/** The closing lines of a run. */
export function summaryText(result: GateResult): string {
  const { passed, failed, later, notApplicable } = countStates(result.scenarios);
  const words = [
    `${passed} passed`,
    `${failed} failed`,
    `${notApplicable} not applicable`,
    `${later} expected later`,
  ].join(', ');
  return `  ${failed === 0 ? styleText('green', 'fit to ship') : styleText('red', 'not fit to ship')}: ${words} (${result.stack}, ${result.runtime}, ${seconds(result.durationMs)})`;
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
const indent = (text: string) =>
  text
    .split('\n')
    .slice(0, 12)
    .map((each) => `        ${each}`)
    .join('\n');
