import { HiveError, WireError } from '../../wire/errors.ts'
import { hostOps } from '../../wire/host-ops.ts'
import type { Input, Op, Output } from '../../wire/op.ts'

type HostOps = typeof hostOps
export type OpName = keyof HostOps

/** Calls an operation of the hive. Rejects with HiveError: the daemon's, `unreachable` when it does not answer. */
export type Call = <K extends OpName>(
  name: K,
  input: Input<HostOps[K]>,
  options?: { signal?: AbortSignal },
) => Promise<Output<HostOps[K]>>

export interface Origin {
  readonly token: string
  readonly fetch: typeof fetch
}

export const createCall =
  (origin: Origin): Call =>
  async (name, input, { signal } = {}) => {
    const answer = await fetchJson(origin, `/api/op/${name}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(input),
      signal,
    })
    const op: Op = hostOps[name]
    return decode(op.output, answer) as Output<HostOps[typeof name]>
  }

/** Fetches JSON with the token. Rejects with HiveError. */
export async function fetchJson({ token, fetch }: Origin, path: string, init: RequestInit = {}): Promise<unknown> {
  const response = await reach(() =>
    fetch(path, { ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } }),
  )
  if (!response.ok) throw await errorOf(response)
  return reach(() => response.json())
}

/** What a refusal says of itself; in other words where something between has answered for the daemon. */
export async function errorOf(response: Response): Promise<HiveError> {
  const text = await reach(() => response.text())
  try {
    return HiveError.fromWire(WireError.parse(JSON.parse(text).error))
  } catch (cause) {
    return new HiveError('unreachable', `the answer is ${response.status}, and not the hive’s`, { cause })
  }
}

/** Takes what the daemon says as what it must be. Throws `internal`. */
export function decode<T>(schema: { parse: (value: unknown) => T }, value: unknown): T {
  try {
    return schema.parse(value)
  } catch (cause) {
    throw new HiveError('internal', 'the hive says something that this page does not understand', {
      hint: 'it may have been updated: reload the page',
      cause,
    })
  }
}

async function reach<T>(request: () => Promise<T>): Promise<T> {
  try {
    return await request()
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause
    throw new HiveError('unreachable', 'the hive does not answer', { hint: 'hive status on its machine', cause })
  }
}
