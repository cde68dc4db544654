import { lstatSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import { HiveError } from '../../wire/errors.ts'
import type { Layout } from '../layout.ts'
import { type Problem, Problems } from '../problems.ts'

/**
 * Sees to it that each agent has a login of its own. Renewing one makes the token before it void: of two agents that share
 * one, each would log the other out. Looks at names only: it follows no link below the daemon's own directory, and opens nothing.
 */
export class LoginFiles {
  readonly #layout: Pick<Layout, 'agent'>
  readonly #problems = new Problems()

  constructor(layout: Pick<Layout, 'agent'>) {
    this.#layout = layout
  }

  /** Throws `conflict` when the credentials of an agent may be another's too. */
  assertOwn(agent: string): void {
    const { credentials } = this.#layout.agent(agent)
    try {
      assertAlone(agent, credentials)
      this.#problems.clear(`login of ${agent}`)
    } catch (error) {
      this.#problems.note(`login of ${agent}`, error)
      throw error
    }
  }

  /** Agents that share what they should not. */
  errors(): Problem[] {
    return this.#problems.list()
  }
}

function assertAlone(agent: string, directory: string): void {
  const found = look(directory)
  if (!found) return
  if (!found.isDirectory()) throw shared(agent, directory, 'is a link')
  const path = join(directory, '.credentials.json')
  const file = look(path)
  if (file?.isSymbolicLink()) throw shared(agent, path, 'is a link')
  // Two names, two agents: an agent cannot see, let alone link, what is outside of its own directory.
  if (file?.isFile() && file.nlink > 1) throw shared(agent, path, `has ${file.nlink} names`)
}

const look = (path: string): Stats | undefined => lstatSync(path, { throwIfNoEntry: false })

const shared = (agent: string, path: string, how: string): HiveError =>
  new HiveError('conflict', `the login of ${agent} is not its own: ${path} ${how}`, {
    hint: `remove it, then hive login ${agent}: agents that share a login log each other out`,
  })
