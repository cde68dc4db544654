import { z } from 'zod'
import { HiveError } from '../../../wire/errors.ts'
import type { StreamMessage } from './claude-process.ts'

const Response = z.looseObject({
  response: z.looseObject({
    subtype: z.string(),
    request_id: z.string(),
    response: z.unknown().optional(),
    error: z.string().optional(),
  }),
})

/** The engine's control protocol: requests of ours with their answers, and our answers to its. */
export interface Control {
  /** Gives the engine's answer. Throws `unavailable` when it refuses or ends, `timeout` when it says nothing for `timeoutMs`. */
  request(request: { subtype: string } & Record<string, unknown>, timeoutMs: number): Promise<unknown>
  /** Takes the engine's answer to a request of ours; one that is not awaited is passed over. Throws when it cannot be read. */
  settle(message: StreamMessage): void
  answer(requestId: string, response: object): void
  refuse(requestId: string, error: string): void
  /** Nothing will be answered any more. */
  failAll(reason: string): void
}

export function createControl(send: (message: object) => void): Control {
  const waiting = new Map<string, PromiseWithResolvers<unknown>>()
  let lastId = 0
  let failure: HiveError | undefined
  return {
    async request(request, timeoutMs) {
      if (failure) throw failure
      lastId += 1
      const id = `hive-${lastId}`
      const answered = Promise.withResolvers<unknown>()
      waiting.set(id, answered)
      const timer = setTimeout(() => {
        answered.reject(new HiveError('timeout', `claude did not answer ${request.subtype} within ${timeoutMs} ms`))
      }, timeoutMs)
      send({ type: 'control_request', request_id: id, request })
      try {
        return await answered.promise
      } finally {
        clearTimeout(timer)
        waiting.delete(id)
      }
    },

    settle(message) {
      const { response } = Response.parse(message)
      const call = waiting.get(response.request_id)
      if (response.subtype === 'success') call?.resolve(response.response)
      else call?.reject(new HiveError('unavailable', `claude refused: ${response.error ?? 'without a reason'}`))
    },

    answer: (requestId, response) =>
      send({ type: 'control_response', response: { subtype: 'success', request_id: requestId, response } }),

    refuse: (requestId, error) =>
      send({ type: 'control_response', response: { subtype: 'error', request_id: requestId, error } }),

    failAll(reason) {
      failure = new HiveError('unavailable', reason)
      for (const { reject } of waiting.values()) reject(failure)
    },
  }
}
