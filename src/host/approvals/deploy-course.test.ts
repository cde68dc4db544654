import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type DeployFacts, nextAction } from './deploy-course.ts'

const ORDER = ['mark_approved', 'mark_building', 'build', 'switch', 'promote', 'record'] as const

/** What is known once the first `done` actions have been taken. */
function factsAfter(done: number): DeployFacts {
  const tags = ['approved', 'building'].slice(0, done)
  return {
    tags: new Set(done >= 5 ? [...tags, 'deployed'] : tags),
    isBuilt: done >= 3,
    isHealthy: done >= 4,
    failure: null,
  }
}

describe('the course of a deploy', () => {
  it('takes one step after the other', () => {
    assert.deepEqual(
      ORDER.map((_, done) => nextAction(factsAfter(done))),
      ORDER,
    )
  })

  it('rolls back whatever fails before the commit is what is deployed', () => {
    for (let done = 0; done < 5; done++) {
      assert.equal(nextAction({ ...factsAfter(done), failure: 'it broke' }), 'roll_back')
    }
  })

  it('never undoes what is deployed', () => {
    assert.equal(nextAction({ ...factsAfter(5), failure: 'it broke' }), 'record')
  })

  it('builds and switches again after the daemon ended, since only tags are left', () => {
    for (const done of [2, 3, 4]) {
      assert.equal(nextAction({ ...factsAfter(done), isBuilt: false, isHealthy: false }), 'build')
    }
    assert.equal(nextAction({ ...factsAfter(5), isBuilt: false, isHealthy: false }), 'record')
  })

  it('sets no second terminal tag', () => {
    for (const tag of ['failed', 'denied']) {
      assert.equal(nextAction({ ...factsAfter(4), tags: new Set(['approved', 'building', tag]) }), 'roll_back')
    }
  })
})
