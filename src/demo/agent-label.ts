import type { IncomingHttpHeaders } from 'node:http'
import { compilePattern, type Scenario, type Scenarios } from './scenario.ts'

const KEY = /^sk-ant-(?:[a-z0-9]+-)?demo-([a-z][a-z0-9-]*)$/
const ROLE = /You are `([a-z][a-z0-9-]*)`/

/** The name that everyone has who says nothing about himself. */
export const DEFAULT_LABEL = 'default'

/** Which agent asks: its key says it (`sk-ant-demo-<label>`, as an API key or a bearer token), else its role prompt. */
export function readLabel(headers: IncomingHttpHeaders, system: string): string {
  const bearer = headers.authorization?.replace(/^Bearer /i, '')
  const keys = [headers['x-api-key'], bearer].map((key) => KEY.exec(String(key ?? ''))?.[1])
  return keys.find((label) => label !== undefined) ?? ROLE.exec(system)?.[1] ?? DEFAULT_LABEL
}

/** The scenario that plays an agent: its own, else one whose `system` fits its prompt, else the one named `default`. */
export function chooseScenario(scenarios: Scenarios, label: string, system: string): Scenario | undefined {
  if (label !== DEFAULT_LABEL && Object.hasOwn(scenarios, label)) return scenarios[label]
  const fitting = Object.values(scenarios).find(
    (scenario) => scenario.system && compilePattern(scenario.system).test(system),
  )
  return fitting ?? scenarios[DEFAULT_LABEL]
}
