// The configuration as every command reads it: the file of --config or ALERTS_SLM_CONFIG, then the environment.
import { loadConfig } from '../config/load.ts'
import type { Config } from '../config/schema.ts'

export const configured = (file: string | undefined): Promise<Config> => loadConfig({ environment: process.env, ...(file !== undefined && { file }) })
