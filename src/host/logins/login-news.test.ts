import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { MANAGER } from '../../wire/names.ts'
import type { Parked } from '../../wire/things.ts'
import { openHiveDatabase } from '../database.ts'
import { LoginNews } from './login-news.ts'

/** As the broker would: a message with a key that is there already is not stored again. */
function openInbox() {
  const inbox = new Map<string, string>()
  return {
    texts: () => [...inbox.values()],
    tell: async (event: object, key = '') => {
      if (!inbox.has(key)) inbox.set(key, Object.values(event).join(' '))
    },
  }
}

describe('what the manager hears of logins', () => {
  let db: ReturnType<typeof openHiveDatabase>
  let parked: Parked | null
  let unparked: number
  let inbox: ReturnType<typeof openInbox>
  beforeEach(() => {
    db = openHiveDatabase(':memory:')
    for (const [slot, name] of [MANAGER, 'alice'].entries()) {
      db.run("INSERT INTO agents (name, slot, desired, created_at) VALUES (?, ?, 'running', 0)", name, slot)
    }
    parked = null
    unparked = 0
    inbox = openInbox()
  })
  afterEach(() => db.close())

  let at = 0
  const open = (news: { tell: typeof inbox.tell } = inbox) =>
    new LoginNews({
      db,
      broker: {
        store: { parked: () => parked },
        unpark: async () => {
          parked = null
          unparked += 1
        },
      },
      news,
      wallNow: () => ++at,
    })
  /** A turn of alice ends, as the broker and the socket do it. */
  const end = async (reason: 'ok' | 'auth', login: string, news = open()) => {
    const parkedFor = parked?.reason
    await db.write(() =>
      news.settle({ agent: 'alice', epoch: 1, message: 1, attempt: 1, at: 0, reason, parkedFor }, login),
    )
    await news.tellOf('alice')
  }
  const refuse = (login: string) => {
    parked = { reason: 'login', detail: '401', since: 0 }
    return end('auth', login)
  }

  test('nothing of one that is there from the start; each change once', async () => {
    const news = open()
    await news.becameReady('alice', { claude: 'ok', login: 'a' })
    assert.deepEqual(inbox.texts(), [])
    for (let time = 0; time < 2; time++) await news.becameReady('alice', { claude: 'needs_login', login: 'b' })
    await news.becameReady('alice', { claude: 'error', login: 'b' })
    assert.deepEqual(inbox.texts(), ['needs_login alice'])
    for (let time = 0; time < 2; time++) await news.becameReady('alice', { claude: 'ok', login: 'c' })
    await news.becameReady('alice', { claude: 'needs_login', login: 'b' })
    assert.deepEqual(inbox.texts(), ['needs_login alice', 'logged_in alice', 'needs_login alice'])
  })

  test('nothing of its own', async () => {
    const news = open()
    await news.becameReady(MANAGER, { claude: 'needs_login' })
    await open().resume()
    assert.deepEqual([inbox.texts(), news.isLacking(MANAGER), news.isLacking('alice')], [[], true, false])
  })

  test('a login that the API refused is none until it is another, whoever starts again meanwhile', async () => {
    await end('auth', 'a')
    assert.deepEqual(inbox.texts(), [], 'it is tried once more')
    await refuse('a')
    await open().becameReady('alice', { claude: 'ok', login: 'a' })
    assert.equal(unparked, 0)
    assert.deepEqual(inbox.texts(), ['needs_login alice'])
    await open().becameReady('alice', { claude: 'ok', login: 'b' })
    assert.equal(unparked, 1)
    assert.deepEqual(inbox.texts(), ['needs_login alice', 'logged_in alice'])
  })

  test('or until a turn goes well with it: the operator let the agent go on', async () => {
    await refuse('a')
    parked = null
    await open().becameReady('alice', { claude: 'ok', login: 'a' })
    assert.deepEqual(inbox.texts(), ['needs_login alice'])
    await end('ok', 'a')
    assert.deepEqual(inbox.texts(), ['needs_login alice', 'logged_in alice'])
    await refuse('a')
    assert.equal(inbox.texts().length, 3)
  })

  test('what a daemon that was killed did not tell is told by the next, and once', async () => {
    const killed = { tell: () => new Promise<void>(() => {}) }
    void open(killed).becameReady('alice', { claude: 'needs_login' })
    await db.write(() => {})
    await open().resume()
    await open().resume()
    assert.deepEqual(inbox.texts(), ['needs_login alice'])
  })

  test('a login that was refused is known as such, although the daemon was killed right after that turn', async () => {
    parked = { reason: 'login', detail: '401', since: 0 }
    void end('auth', 'a', open({ tell: () => new Promise<void>(() => {}) }))
    await db.write(() => {})
    const next = open()
    await next.becameReady('alice', { claude: 'ok', login: 'a' })
    await next.resume()
    assert.deepEqual([unparked, inbox.texts()], [0, ['needs_login alice']])
  })

  test('what cannot be read of it is told once more', async () => {
    db.run("UPDATE agents SET told_login = 'junk'")
    await open().becameReady('alice', { claude: 'needs_login' })
    assert.deepEqual(inbox.texts(), ['needs_login alice'])
  })

  test('what it told, and could not note that it had, is not told again', async () => {
    const killed = {
      async tell(event: object, key?: string) {
        await inbox.tell(event, key)
        await new Promise(() => {})
      },
    }
    void open(killed).becameReady('alice', { claude: 'needs_login' })
    await db.write(() => {})
    await open().resume()
    await open().becameReady('alice', { claude: 'needs_login' })
    assert.deepEqual(inbox.texts(), ['needs_login alice'])
  })
})
