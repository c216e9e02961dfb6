export { type CliOptions, runCli, type TextOutput } from './cli.ts';
export { type DatabaseTarget, defineConfig, type SvcConfig } from './config.ts';
