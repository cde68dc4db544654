import { createContext, useContext } from 'react'
import { createStore, type StoreApi, useStore } from 'zustand'
import { applyDelta, HiveState } from '../../wire/hive-state.ts'
import { FRAMES } from '../../wire/stream.ts'
import type { Message } from '../../wire/things.ts'
import type { Undecodable } from '../../wire/undecodable.ts'
import { type Call, createCall, decode, fetchJson, type Origin } from './call.ts'
import type { Connection } from './connection.ts'
import type { Stream } from './hive-stream.ts'
import { KEPT_MESSAGES, mergeMessages } from './kept-messages.ts'
import { openStream } from './open-stream.ts'

/** What every part of the page sees of the hive. */
export interface Live {
  readonly connection: Connection
  /** Undefined until it was fetched once. */
  readonly state: HiveState | undefined
  /** The newest of all, oldest first. */
  readonly messages: readonly Message[]
  readonly unreadable: readonly Undecodable[]
}

/** A page's way to its hive. */
export interface Hive {
  readonly origin: Origin
  readonly call: Call
  readonly stream: Stream
  readonly live: StoreApi<Live>
}

/** Opens the stream, and keeps state and messages current from then on. */
export function openHive(origin: Origin): Hive {
  const call = createCall(origin)
  const live = createStore<Live>(() => ({
    connection: { is: 'connecting', failures: 0 },
    state: undefined,
    messages: [],
    unreadable: [],
  }))
  const stream = openStream(origin, (connection) => live.setState({ connection }))
  stream.follow('state', stateFollower(origin, live))
  stream.follow('messages', messagesFollower(call, live))
  return { origin, call, stream, live }
}

function stateFollower(origin: Origin, live: StoreApi<Live>) {
  const load = async () => {
    const state = decode(HiveState, await fetchJson(origin, '/api/state'))
    live.setState({ state })
    return state.seq
  }
  return {
    load,
    async take({ data }: { data: string }) {
      const { state } = live.getState()
      const next = state && applyDelta(state, decode(FRAMES.state, JSON.parse(data)))
      if (next) live.setState({ state: next })
      else await load()
    },
  }
}

const messagesFollower = (call: Call, live: StoreApi<Live>) => ({
  async load() {
    const { messages, errors, cursor } = await call('messages', { limit: KEPT_MESSAGES })
    live.setState({ messages, unreadable: errors })
    return cursor
  },
  take({ data }: { data: string }) {
    const { messages, errors } = decode(FRAMES.messages, JSON.parse(data))
    live.setState((before) => ({
      messages: mergeMessages(before.messages, messages),
      unreadable: mergeUnreadable(before.unreadable, errors),
    }))
  },
})

/** Rows that cannot be read, once each. */
const mergeUnreadable = (before: readonly Undecodable[], more: readonly Undecodable[]): readonly Undecodable[] =>
  more.length === 0 ? before : [...new Map([...before, ...more].map((row) => [`${row.table}:${row.id}`, row])).values()]

const HiveContext = createContext<Hive | undefined>(undefined)
export const HiveProvider = HiveContext.Provider

/** The hive of this page. */
export function useHive(): Hive {
  const hive = useContext(HiveContext)
  if (!hive) throw new Error('a part of the page stands outside of HiveProvider')
  return hive
}

/** A part of what is known; the same value twice renders once. */
export const useLive = <T>(select: (live: Live) => T): T => useStore(useHive().live, select)

/** Whether what is shown is current. Deeds wait until it is. */
export const useIsLive = (): boolean => useLive(({ connection }) => connection.is === 'live')
