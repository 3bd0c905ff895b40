// Settings that are accepted, because they belong to the format, and that nothing in this version reads. Whoever sets one is told.
import type { Config } from './schema.ts'

/** Paths of the settings that have no effect, as the file has them. */
export function idleSettings({ slm, mcp, database, openshift }: Config): readonly string[] {
  const idle: readonly (readonly [string, boolean])[] = [
    ['slm.provider', slm.provider !== 'none'],
    ['mcp.port', mcp.port !== undefined],
    ['mcp.k8s_server', mcp.k8s_server !== undefined],
    ['database', Object.values(database).some((value) => value !== undefined)],
    ['openshift.enabled', openshift.enabled !== 'auto'],
  ]
  return idle.filter(([, set]) => set).map(([path]) => path)
}
