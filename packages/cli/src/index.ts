export { runCli } from './cli.ts';
export type { CommandContext } from './command.ts';
export { type DatabaseConfig, defineConfig, type SvcConfig } from './config.ts';
