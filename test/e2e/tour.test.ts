import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { openDemoHive } from '../demo-hive.ts'

const BIN = join(import.meta.dirname, '../../bin/hive')

describe('the tour of the demo', { timeout: 240_000 }, () => {
  let demo: Awaited<ReturnType<typeof openDemoHive>>
  before(async () => {
    demo = await openDemoHive()
    await demo.start()
  })
  after(() => demo?.[Symbol.asyncDispose]())

  /** What the operator types. */
  const hive = (...args: string[]) =>
    new Promise<{ code: unknown; out: string; err: string }>((resolve) => {
      execFile(BIN, ['--state-dir', demo.stateDir, ...args], (error, out, err) =>
        resolve({ code: error?.code ?? 0, out, err }),
      )
    })
  /** What the manager has told the operator, oldest first, once nothing is on its way and there are `count` of it. */
  const hear = async (count: number): Promise<string[]> => {
    for (let cursor = 0; ; ) {
      const { messages } = await demo.host().messages({ limit: 1000 })
      const dead = messages.find(({ state }) => state === 'dead')
      assert.ok(!dead, JSON.stringify(dead))
      const told = messages.filter(({ from, to }) => from === 'manager' && to === 'operator')
      if (told.length >= count && messages.every(({ state }) => state === 'done')) return told.map(({ body }) => body)
      cursor = (await demo.host().messages({ after: cursor, limit: 1000, wait_seconds: 1 })).cursor
    }
  }
  /** The last message, and the number in the command that it names. */
  const next = async (count: number, command: 'approve' | 'show') => {
    const told = await hear(count)
    assert.equal(told.length, count, told.join('\n'))
    const body = told.at(-1) ?? ''
    const id = Number(new RegExp(`hive ${command} (\\d+)`).exec(body)?.[1])
    assert.ok(id > 0, `names no hive ${command}: ${body}`)
    return { body, id }
  }
  const names = async () => (await demo.host().list({})).agents.map(({ name }) => name).sort()
  const scout = async () => (await demo.host().list({})).agents.find(({ name }) => name === 'scout')
  const approval = async (id: number) => (await demo.host().show({ id })).approval
  let deployed: string | null | undefined

  it('is offered when the team has shown its work, and ends when it is denied', async () => {
    const { id } = await next(2, 'approve')
    assert.match((await hive('pending')).out, /scout/)
    assert.deepEqual(await names(), ['alice', 'bob', 'manager'])
    assert.equal((await hive('deny', `${id}`, '-m', 'not now')).code, 0)
    assert.match((await hear(3)).at(-1) ?? '', /the tour ends here/)
    assert.deepEqual((await demo.host().pending({})).approvals, [])
  })

  it('is offered again when the operator asks for the team again', async () => {
    await hive('send', 'manager', 'show me the team at work')
    const { id } = await next(5, 'approve')
    assert.equal((await approval(id)).kind, 'init_config')
    assert.equal((await hive('approve', `${id}`, '-y')).code, 0)
  })

  it('shows the configuration of a new agent before there is one', async () => {
    const { id } = await next(6, 'approve')
    assert.deepEqual(await names(), ['alice', 'bob', 'manager'])
    const { out } = await hive('show', `${id}`)
    assert.match(out, /^\+.*"GREETING": "Hello"/m)
    const { sha } = await approval(id)
    const approved = await hive('approve', `${id}`, '-y')
    assert.equal(approved.code, 0, approved.err)
    assert.match(approved.out, new RegExp(`deployed/${id}`))
    assert.equal((await scout())?.sha, sha)
    deployed = sha
  })

  it('lets the operator see how a broken one undoes itself', async () => {
    const { body, id } = await next(7, 'approve')
    assert.match(body, /says: Hello/)
    assert.match((await hive('show', `${id}`)).out, /Bonjour[\s\S]*\/config\/compass/)
    const approved = await hive('approve', `${id}`, '-y')
    assert.equal(approved.code, 1)
    assert.match(approved.err, /compass/)
    assert.equal((await approval(id)).state, 'failed')

    const last = await next(8, 'show')
    assert.equal(last.id, id)
    assert.match(last.body, /still says: Hello/)
    assert.equal((await scout())?.sha, deployed)
  })

  it('has come to rest, and begins no second time', async () => {
    assert.deepEqual((await demo.host().pending({})).approvals, [])
    await hive('send', 'manager', 'show me the team at work')
    await hear(9)
    assert.deepEqual((await demo.host().pending({})).approvals, [])
    assert.equal((await hear(9)).length, 9)
  })
})
