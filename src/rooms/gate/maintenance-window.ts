// Gate 16: times at which nothing is changed.
import { writes } from './seen.ts'
import { type Gate, hold, PASS } from './verdict.ts'

export const maintenanceWindow: Gate = {
  name: 'maintenance-window',
  judge({ plan }, { policy }, now) {
    if (!writes(plan)) return PASS
    const open = policy.maintenance.filter(({ from, to }) => from <= now && now < to)
    if (open.length === 0) return PASS
    return hold('MAINTENANCE_WINDOW', `nothing is changed now: ${open.map(({ why }) => why).join('; ')}`, 'wait until the window is over', Math.max(...open.map(({ to }) => to)))
  },
}
