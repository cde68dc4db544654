import { z } from 'zod'
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
export function createControl(send: (message: object) => void) {
  const waiting = new Map<string, { resolve(value: unknown): void; reject(error: Error): void }>()
  let lastId = 0
  return {
    /** Rejects when the engine refuses, ends, or does not answer within `timeoutMs`. */
    request(request: { subtype: string } & Record<string, unknown>, timeoutMs: number): Promise<unknown> {
      lastId += 1
      const id = `hive-${lastId}`
      return new Promise((resolve, reject) => {
        const finish = () => {
          clearTimeout(timer)
          waiting.delete(id)
        }
        const timer = setTimeout(() => {
          finish()
          reject(new Error(`the engine did not answer ${request.subtype} within ${timeoutMs} ms`))
        }, timeoutMs)
        waiting.set(id, {
          resolve: (value) => {
            finish()
            resolve(value)
          },
          reject: (error) => {
            finish()
            reject(error)
          },
        })
        send({ type: 'control_request', request_id: id, request })
      })
    },

    /** Takes the engine's answer to one of our requests. */
    settle(message: StreamMessage): void {
      const { response } = Response.parse(message)
      const call = waiting.get(response.request_id)
      if (response.subtype === 'success') call?.resolve(response.response ?? {})
      else call?.reject(new Error(response.error ?? 'refused'))
    },

    answer(id: string, response: object): void {
      send({ type: 'control_response', response: { subtype: 'success', request_id: id, response } })
    },

    refuse(id: string, error: string): void {
      send({ type: 'control_response', response: { subtype: 'error', request_id: id, error } })
    },

    failAll(reason: string): void {
      for (const { reject } of waiting.values()) reject(new Error(reason))
    },
  }
}
