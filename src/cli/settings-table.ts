import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { SettingsFile } from '../kit/settings.ts'

const PAGE = join(import.meta.dirname, '../../docs/configuration.md')
const BEGIN = /<!-- settings:.*-->\n/
const END = '<!-- end of settings -->'

interface Property {
  readonly type?: string
  readonly enum?: readonly unknown[]
  readonly default?: unknown
  readonly description?: string
  readonly minimum?: number
  readonly maximum?: number
}

/** The settings of the config file as a Markdown table: what the schema says of itself. */
export function settingsTable(): string {
  const { properties = {} } = z.toJSONSchema(SettingsFile, { io: 'input' })
  const rows = Object.entries(properties as Record<string, Property>)
    .filter(([name]) => name !== '$schema')
    .map(
      ([name, property]) =>
        `| \`${name}\` | ${typeText(property)} | ${defaultText(property)} | ${property.description ?? ''} |\n`,
    )
  return `| key | value | default | what |\n|---|---|---|---|\n${rows.join('')}`
}

function typeText({ type = 'any', enum: values, minimum, maximum }: Property): string {
  if (values) return values.map((value) => `\`${value}\``).join(', ')
  const isBounded = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER
  if (isBounded) return `${type}, ${minimum} to ${maximum}`
  return minimum === undefined ? type : `${type}, ${minimum} or more`
}

const defaultText = (property: Property): string =>
  property.default === undefined ? '' : `\`${JSON.stringify(property.default)}\``

/** The page with the table as it should be. Throws when the page has lost the marks around it. */
export function withSettingsTable(page: string): string {
  const begin = BEGIN.exec(page)
  const end = page.indexOf(END)
  if (!begin || end === -1) throw new Error('docs/configuration.md has lost the marks around its table')
  return `${page.slice(0, begin.index + begin[0].length)}\n${settingsTable()}\n${page.slice(end)}`
}

export const readConfigurationPage = (): string => readFileSync(PAGE, 'utf8')

if (import.meta.main) writeFileSync(PAGE, withSettingsTable(readConfigurationPage()))
