import { type ModelServer, openModelServer } from '../src/demo/model-server.ts'
import type { Scenarios } from '../src/demo/scenario.ts'
import { obey } from '../src/demo/scenarios/obey.ts'
import { findClaude } from '../src/kit/claude-binary.ts'

export interface TestModel extends ModelServer {
  /** Resolves when a request that holds `text` has come. */
  asked(text: string): Promise<unknown>
}

/** A scripted model whose agents do what the one line of their message says (see docs/demo.md), but for those in `scenarios`. */
export async function openTestModel(scenarios: Scenarios = {}): Promise<TestModel> {
  const server = await openModelServer({ port: 0, scenarios: { default: obey, ...scenarios } })
  return {
    ...server,
    asked: (text) => server.waitForRequest(({ body }) => JSON.stringify(body.messages).includes(text)),
  }
}

/** The engine that is installed beside the tests. */
export const findTestClaude = (): string => findClaude().path
