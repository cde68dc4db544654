import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { errorText, HiveError } from '../wire/errors.ts'
import { chooseScenario, readLabel } from './agent-label.ts'
import { isSummaryRequest, readTurns } from './conversation.ts'
import { HTTP_FAULTS } from './faults.ts'
import { decodeRequest, type MessagesRequest, readBody } from './messages-request.ts'
import { decideReply, failReply, type Reply, sayOnly } from './reply.ts'
import type { NewId } from './reply-stream.ts'
import { writeError, writeJson, writeReply } from './response.ts'
import type { FaultStep, Scenarios } from './scenario.ts'
import { countInput, type Usage } from './usage.ts'

export interface ModelRequest {
  /** The agent that asked. */
  readonly agent: string
  readonly headers: IncomingHttpHeaders
  readonly body: MessagesRequest
  /** When its head had come, before the body was read: ms of `performance.now()`. */
  readonly arrivedAt: number
  /** What its answer is charged with so far; undefined: nothing, as for one that is refused. */
  billed?: Usage
}

export interface ModelOptions {
  readonly scenarios: Scenarios
  /** Milliseconds between the words of a text, where the scenario does not say. */
  readonly paceMs?: number
  /** How many of the last requests are kept for inspection. */
  readonly keepRequests?: number
  readonly log?: (line: string) => void
  /** Who it is, said with every answer (`hive-model`): so that nobody is taken for it. */
  readonly identity?: string
  /** Unix milliseconds. */
  readonly now?: () => number
  readonly newId?: NewId
}

const createId: NewId = (prefix) => `${prefix}_${crypto.randomUUID().replaceAll('-', '').slice(0, 24)}`

/** The scripted model behind the Messages API: what was asked, what is answered, and what goes wrong. */
export class Model {
  /** What was asked of `/v1/messages`, oldest first. */
  readonly requests: ModelRequest[] = []
  #scenarios: Scenarios
  readonly #options: Required<Omit<ModelOptions, 'scenarios'>>
  /** By message and step: how often a fault has happened. */
  readonly #taken = new Map<string, number>()
  readonly #forced: { fault: FaultStep; agent: string | undefined; times: number; of: 'any' | 'summary' }[] = []
  readonly #waiting = new Set<(request: ModelRequest) => void>()

  constructor({ scenarios, ...options }: ModelOptions) {
    this.#scenarios = scenarios
    this.#options = {
      paceMs: 0,
      keepRequests: 1000,
      log: () => {},
      identity: '',
      now: Date.now,
      newId: createId,
      ...options,
    }
  }

  /** Conversations go on under the new scenarios; faults are counted from the start. */
  setScenarios(scenarios: Scenarios): void {
    this.#scenarios = scenarios
    this.#taken.clear()
  }

  /**
   * Lets the next `times` requests of an agent (without: of anyone) end in a fault, whatever the scenario says; `of: 'summary'`: only those
   * with which its engine compacts.
   */
  failNext(
    fault: FaultStep,
    { agent, times = 1, of = 'any' }: { agent?: string; times?: number; of?: 'any' | 'summary' } = {},
  ): void {
    this.#forced.push({ fault, agent, times, of })
  }

  /** Forgets what `failNext` was told. */
  forgive(): void {
    this.#forced.length = 0
  }

  /** Resolves with the first request, kept or to come, that fits. */
  waitForRequest(fits: (request: ModelRequest) => boolean): Promise<ModelRequest> {
    const found = this.requests.find(fits)
    if (found) return Promise.resolve(found)
    return new Promise((resolve) => {
      const look = (request: ModelRequest): void => {
        if (!fits(request)) return
        this.#waiting.delete(look)
        resolve(request)
      }
      this.#waiting.add(look)
    })
  }

  /** Answers one HTTP request. Never rejects. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    response.setHeader('hive-model', this.#options.identity)
    response.setHeader('request-id', this.#options.newId('req'))
    try {
      await this.#route(request, response, gone.signal)
    } catch (error) {
      if (gone.signal.aborted) return // Nobody is left who could be told.
      this.#options.log(`${request.method} ${request.url}: ${errorText(error)}`)
      if (response.headersSent) response.destroy()
      else writeError(response, { ...describeError(error), message: errorText(error) })
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const path = request.url?.split('?')[0]
    if (request.method === 'HEAD' || (request.method === 'GET' && path === '/')) return writeJson(response, 200, {})
    const isMessage = path === '/v1/messages'
    if (request.method !== 'POST' || !(isMessage || path === '/v1/messages/count_tokens')) {
      return writeError(response, { status: 404, type: 'not_found_error', message: `no ${request.method} ${path}` })
    }
    const arrivedAt = performance.now()
    const body = decodeRequest(await readBody(request))
    if (!isMessage) return writeJson(response, 200, { input_tokens: countInput(body) })
    const agent = readLabel(request.headers, body.system)
    const asked: ModelRequest = { agent, headers: request.headers, body, arrivedAt }
    this.#record(asked)
    const { now, newId, log } = this.#options
    const reply = this.#decide(agent, body)
    log(`${agent}: ${body.messages.length} messages → ${describeReply(reply)}`)
    const bill = (usage: Usage) => {
      asked.billed = usage
    }
    await writeReply(response, reply, { request: body, signal, now, newId, bill })
  }

  #record(request: ModelRequest): void {
    this.requests.push(request)
    if (this.requests.length > this.#options.keepRequests) this.requests.shift()
    for (const look of [...this.#waiting]) look(request)
  }

  #decide(agent: string, { system, messages }: MessagesRequest): Reply {
    const isSummary = isSummaryRequest(messages)
    const forced = this.#forced.find(
      (one) => one.times > 0 && (one.agent ?? agent) === agent && (isSummary || one.of === 'any'),
    )
    if (forced) {
      forced.times -= 1
      return failReply(forced.fault)
    }
    if (isSummary) return sayOnly('<summary>The conversation so far, in short.</summary>')
    const scenario = chooseScenario(this.#scenarios, agent, system)
    if (!scenario) return sayOnly(`There is no scenario for ${agent}.`)
    const takeFault = (key: string, times: number): boolean => {
      const taken = this.#taken.get(key) ?? 0
      if (taken < times) this.#taken.set(key, taken + 1)
      return taken < times
    }
    return decideReply({ scenario, label: agent, turns: readTurns(messages), paceMs: this.#options.paceMs, takeFault })
  }
}

const describeReply = (reply: Reply): string =>
  reply.kind === 'message'
    ? reply.pieces.map(({ type }) => type).join(' ')
    : reply.kind === 'error'
      ? reply.name
      : 'reset'

function describeError(error: unknown): { status: number; type: string } {
  const code = error instanceof HiveError ? error.code : 'internal'
  if (code === 'too_large') return HTTP_FAULTS.too_large
  return code === 'bad_input' ? HTTP_FAULTS.bad_request : HTTP_FAULTS.server_error
}
