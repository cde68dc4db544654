import { describe } from 'node:test'
import { testBuild } from './contract/build.ts'
import { testConfinement } from './contract/confinement.ts'
import { testExec } from './contract/exec.ts'
import { testIsolation } from './contract/isolation.ts'
import { testLifeCycle } from './contract/life-cycle.ts'
import { testLimits } from './contract/limits.ts'
import { testLogs } from './contract/logs.ts'
import { testOpenExec } from './contract/open-exec.ts'
import type { Capabilities, MakeSubject } from './contract/subject.ts'
import { testSurvival } from './contract/survival.ts'
import { testWatch } from './contract/watch.ts'

/**
 * What every container runtime has to do, tried on a real one. `capabilities` says what this one, or this host, cannot give;
 * suites that need it are skipped and say so.
 */
export function testRuntime(name: string, make: MakeSubject, capabilities: Capabilities): void {
  describe(`container runtime ${name}`, { concurrency: 4, timeout: 60_000 }, () => {
    testBuild(make)
    testLifeCycle(make, capabilities)
    testWatch(make)
    testLogs(make)
    testExec(make, capabilities)
    testOpenExec(make, capabilities)
    testLimits(make, capabilities)
    testSurvival(make, capabilities)
    testIsolation(make, capabilities)
    testConfinement(make, capabilities)
  })
}
