// The table of bench/README.md, from the results of a run.
const ROWS: readonly (readonly [string, string, string])[] = [
  ['decideP50Ms', 'Decide one alert, 50 rules, facts at hand, p50', '< 0.3 ms'],
  ['decideP99Ms', 'the same, p99', '< 3 ms'],
  ['rules5000Over50', '5,000 rules over 50, the same ten alerts, p50', '<= 1.3'],
  ['rules5000Over50Spread', '5,000 rules over 50, a thousand alert names in turn, p50', ''],
  ['naiveEngineRatioAt500', 'All 500 rules in one json-rules-engine Engine with its defaults, over ours', '>= 200'],
  ['naivePlainResolverRatioAt500', 'the same with a plain path resolver, over ours', ''],
  ['webhookToWriteP50Ms', 'Webhook received to first write at the API server, p50', '<= 10 ms'],
  ['webhookToWriteP99Ms', 'the same, p99', '<= 50 ms'],
  ['requestsPerRepair', 'Requests to the API server for one repair, from the alert to the closed case', ''],
  ['durableAlertsPerSecond', 'Durable intake, groups of 10, synchronous=FULL before each 2xx, alerts/s', '>= 5,000'],
  ['storelessRatio', 'The same server without a store, over it', ''],
  ['wholeSidecarAlertsPerSecond', 'The whole sidecar, 100,000 alerts, alerts/s', ''],
  ['rssStartMB', 'Resident memory after start, MiB', '80'],
  ['anonymousStartMB', 'of it anonymous (not shared by the processes of a node), MiB', '35'],
  ['rssAfterLoadMB', 'Resident memory after 100,000 alerts, MiB', ''],
  ['anonymousAfterLoadMB', 'of it anonymous, MiB', ''],
  ['startToReadyMs', 'Start of the process to ready, ms', '300'],
  ['syncMs', 'One fsync of this disk, p50, ms', ''],
]
const MARK = /<!-- results -->[\s\S]*<!-- \/results -->/

/** The page with its table made anew. */
export function table(page: string, results: Readonly<Record<string, unknown>>): string {
  const about = `Run of ${String(results['at'])}${results['quick'] === true ? ' (--quick)' : ''}: Node ${String(results['node'])}, ${String(results['cores'])} cores (${String(results['cpu'])}), ${String(results['fileSystem'])}.`
  const lines = ROWS.map(([key, what, goal]) => `| ${what} | ${String(results[key] ?? '–')} | ${goal} |`)
  return page.replace(MARK, ['<!-- results -->', about, '', '| figure | measured | goal |', '| --- | --- | --- |', ...lines, '<!-- /results -->'].join('\n'))
}
