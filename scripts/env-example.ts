import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeSettings, type SettingDescription } from '../packages/core/src/settings.ts';
import { root } from './run-tool.ts';

/** The text of `.env.example` for these settings. */
export function envExample(settings: readonly SettingDescription[]): string {
  const blocks = settings.map(
    ({ variable, description, default: fallback, secret, requiredInProduction }) => {
      const notes = [
        requiredInProduction ? 'required in production' : '',
        secret ? `or the path of a file with it in ${variable}_FILE` : '',
      ].filter(Boolean);
      const comment = `# ${description}${notes.length > 0 ? ` — ${notes.join('; ')}` : ''}`;
      return `${comment}\n${fallback === undefined || secret ? `# ${variable}=` : `${variable}=${fallback}`}\n`;
    },
  );
  return `# Generated from the settings of apps/acceptance by scripts/env-example.ts.\n\n${blocks.join('\n')}`;
}

if (import.meta.main) {
  const source = join(root, 'apps/acceptance/src/settings.ts');
  const target = join(root, '.env.example');
  if (!existsSync(source)) {
    console.log('There is no app yet.');
  } else {
    const { settingsSchema } = (await import(source)) as {
      settingsSchema: Parameters<typeof describeSettings>[0];
    };
    const text = envExample(describeSettings(settingsSchema));
    const current = existsSync(target) && readFileSync(target, 'utf8') === text;
    if (!process.argv.includes('--check')) writeFileSync(target, text);
    else if (!current) {
      console.log(
        '.env.example is not what the settings say. Write it anew: node scripts/env-example.ts',
      );
      process.exitCode = 1;
    }
  }
}
