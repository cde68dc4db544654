const KEY = 'hive-token'
const SHAPE = /^[\w-]{43}$/

/** What of the browser holds the token. */
export interface TokenPlace {
  readonly hash: string
  /** Takes the fragment out of the address, so that it stays in no history and no screenshot. */
  readonly clearHash: () => void
  readonly storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>
}

/** The token that the link has brought, or the one that an earlier link did; undefined: the browser was never let in. */
export function takeToken({ hash, clearHash, storage }: TokenPlace): string | undefined {
  const brought = hash.slice(1)
  if (SHAPE.test(brought)) {
    storage.setItem(KEY, brought)
    clearHash()
    return brought
  }
  return storage.getItem(KEY) ?? undefined
}

/** What somebody pasted: a link, or the token alone; undefined when it is neither. */
export function tokenIn(text: string): string | undefined {
  const token = text.trim().split('#').at(-1) ?? ''
  return SHAPE.test(token) ? token : undefined
}

/** Keeps a token for this browser. */
export const keepToken = (storage: Pick<Storage, 'setItem'>, token: string): void => storage.setItem(KEY, token)
