import { describe, expect, it } from 'vitest'
import { ALERT } from '../../test/gate-case.ts'
import { caseId } from '../domain/case-file.ts'
import { Lanes } from './lanes.ts'

const [a, b, c] = [caseId('a'), caseId('b'), caseId('c')]
const WEB = 'Deployment/team-a/web'

describe('a lane', () => {
  it('is taken by the first; others join it until it acts, and wait behind it from then on', () => {
    const lanes = new Lanes()
    expect(lanes.enter(WEB, a)).toEqual({ kind: 'taken' })
    expect(lanes.enter(WEB, a)).toEqual({ kind: 'taken' })
    expect(lanes.enter(WEB, b)).toEqual({ kind: 'join', host: a })
    lanes.act(WEB, a)
    expect([lanes.acting, lanes.acts(WEB, a), lanes.acts(WEB, b)]).toEqual([1, true, false])
    expect(lanes.enter(WEB, b)).toEqual({ kind: 'behind', host: a })
    // The next one joins the one that waits.
    expect(lanes.enter(WEB, c)).toEqual({ kind: 'join', host: b })
  })

  it('goes to who waited when it is left', () => {
    const lanes = new Lanes()
    lanes.enter(WEB, a)
    lanes.act(WEB, a)
    lanes.enter(WEB, b)
    expect(lanes.leave(WEB, a, false)).toBe(b)
    expect(lanes.enter(WEB, b)).toEqual({ kind: 'taken' })
    expect(lanes.leave(WEB, b, false)).toBeUndefined()
    expect(lanes.enter(WEB, c)).toEqual({ kind: 'taken' })
  })

  it('is given up by a case that stays open, and newcomers join that one all the same', () => {
    const lanes = new Lanes()
    lanes.enter(WEB, a)
    expect(lanes.leave(WEB, a, true)).toBeUndefined()
    expect(lanes.acting).toBe(0)
    expect(lanes.enter(WEB, b)).toEqual({ kind: 'join', host: a })
    expect(lanes.enter(WEB, a)).toEqual({ kind: 'taken' })
  })

  it('gives what joined once, to the case that it joined', () => {
    const lanes = new Lanes()
    lanes.gather(a, [ALERT])
    lanes.gather(a, [ALERT])
    expect(lanes.takeJoined(b)).toEqual([])
    expect(lanes.takeJoined(a)).toHaveLength(2)
    expect(lanes.takeJoined(a)).toEqual([])
  })
})
