import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { hostOps } from '../../wire/host-ops.ts'
import { namesOf } from './addresses.ts'
import { type GateRules, refuse } from './gate.ts'

const TOKEN = 't'.repeat(43)
const REACH = { listen: [], allowedHosts: [], trustedProxy: false }
const rules: GateRules = { ...namesOf(7000, REACH), needsOrigin: true, isToken: (token) => token === TOKEN }
const HOST = ['Host', '127.0.0.1:7000']
const AUTH = ['Authorization', `Bearer ${TOKEN}`]
const OURS = ['Origin', 'http://127.0.0.1:7000']
const JSON_BODY = ['Content-Type', 'application/json']
const APPROVE = '/api/op/approve'

const statusOf = (method: string, target: string, rawHeaders: readonly string[], by = rules): number =>
  refuse({ method, target, rawHeaders }, by)?.status ?? 200

describe('the gate', () => {
  test('lets the page of the hive in, and the command line of who has the token', () => {
    assert.equal(statusOf('POST', APPROVE, [...HOST, ...AUTH, ...OURS, ...JSON_BODY]), 200)
    assert.equal(statusOf('GET', '/api/state', [...HOST, ...AUTH, 'Sec-Fetch-Site', 'same-origin']), 200)
    assert.equal(statusOf('GET', '/api/stream?topics=state,messages', [...HOST, ...AUTH]), 200)
    assert.equal(statusOf('GET', '/', [...HOST, 'Sec-Fetch-Site', 'none']), 200)
    assert.equal(statusOf('GET', '/assets/index-BX_1~.js', HOST), 200)
    assert.equal(statusOf('HEAD', '/a/alice/e/12', HOST), 200)
    assert.equal(statusOf('GET', '/healthz', HOST), 200)
    for (const type of ['application/json; charset=utf-8', 'Application/JSON;charset="UTF-8"']) {
      assert.equal(statusOf('POST', APPROVE, [...HOST, ...AUTH, ...OURS, 'Content-Type', type]), 200, type)
    }
  })

  test('S1: by no name but its own', () => {
    for (const name of ['localhost:7000', 'LOCALHOST:7000', '127.0.0.1:7000', '[::1]:7000']) {
      assert.equal(statusOf('GET', '/', ['Host', name]), 200, name)
    }
    const others = ['evil.example', 'evil.example:7000', '127.0.0.1.nip.io:7000', 'localhost.:7000', '0.0.0.0:7000']
    for (const name of [...others, '127.1:7000', '127.0.0.1:7001', '127.0.0.1', 'localhost', '', '127.0.0.1:7000 ']) {
      assert.equal(statusOf('GET', '/', ['Host', name]), 421, name)
      assert.equal(statusOf('GET', '/api/state', ['Host', name, ...AUTH]), 421, name)
    }
  })

  test('S2: no request that two readers could read in two ways', () => {
    assert.equal(statusOf('GET', '/', []), 400)
    assert.equal(statusOf('GET', '/', [...HOST, ...HOST]), 400)
    assert.equal(statusOf('GET', '/', [...HOST, 'hOST', 'evil.example']), 400)
    assert.equal(statusOf('GET', '/api/state', [...HOST, ...AUTH, ...AUTH]), 400)
    assert.equal(statusOf('POST', APPROVE, [...HOST, ...AUTH, ...OURS, ...OURS, ...JSON_BODY]), 400)
    for (const target of ['http://127.0.0.1:7000/', 'http://evil.example/', '*', '', 'evil', '//evil.example/']) {
      assert.equal(statusOf('GET', target, HOST), 400, target)
    }
  })

  test('S3: no data without the token, said alike whatever it is', () => {
    for (const path of ['/api', '/api/', '/api/state', '/api/stream', '/api/diff/1', '/metrics', '/events/stream']) {
      assert.equal(statusOf('GET', path, HOST), 401, path)
      for (const wrong of ['Bearer x', `bearer ${TOKEN}x`, `Basic ${TOKEN}`, TOKEN, `Bearer ${TOKEN} `, 'Bearer', '']) {
        assert.equal(statusOf('GET', path, [...HOST, 'Authorization', wrong]), 401, wrong)
      }
    }
    assert.equal(statusOf('GET', `/api/state?token=${TOKEN}`, [...HOST, 'Cookie', `token=${TOKEN}`]), 401)
  })

  test('S4: no deed by a form of another page, nor from nowhere', () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', '']) {
      assert.equal(statusOf('POST', APPROVE, [...HOST, ...AUTH, ...OURS, 'Content-Type', type]), 415, type)
    }
    assert.equal(statusOf('POST', APPROVE, [...HOST, ...AUTH, ...OURS]), 415)
    assert.equal(statusOf('POST', APPROVE, [...HOST, ...AUTH, ...OURS, ...JSON_BODY, 'Content-Encoding', 'gzip']), 415)
    assert.equal(statusOf('POST', APPROVE, [...HOST, ...AUTH, ...JSON_BODY]), 403)
    for (const origin of ['null', 'http://127.0.0.1:8123', 'https://127.0.0.1:7000', 'http://evil.example', '']) {
      assert.equal(statusOf('POST', APPROVE, [...HOST, ...AUTH, ...JSON_BODY, 'Origin', origin]), 403, origin)
    }
  })

  test('S5: nothing to read for other pages either', () => {
    for (const origin of ['http://127.0.0.1:8123', 'null', 'http://evil.example']) {
      assert.equal(statusOf('GET', '/api/stream', [...HOST, ...AUTH, 'Origin', origin]), 403, origin)
    }
    for (const site of ['cross-site', 'same-site', 'sAme-origin', 'x']) {
      assert.equal(statusOf('GET', '/api/stream', [...HOST, ...AUTH, 'Sec-Fetch-Site', site]), 403, site)
      assert.equal(statusOf('GET', '/assets/a.js', [...HOST, 'Sec-Fetch-Site', site]), 403, site)
    }
  })

  test('a link from elsewhere opens the app, and only as a page', () => {
    const visit = ['Sec-Fetch-Site', 'cross-site', 'Sec-Fetch-Mode', 'navigate']
    assert.equal(statusOf('GET', '/approvals/7', [...HOST, ...visit, 'Sec-Fetch-Dest', 'document']), 200)
    assert.equal(statusOf('GET', '/approvals/7', [...HOST, ...visit, 'Sec-Fetch-Dest', 'iframe']), 403)
    assert.equal(statusOf('GET', '/api/state', [...HOST, ...AUTH, ...visit, 'Sec-Fetch-Dest', 'document']), 403)
  })

  test('S6: nothing that changes something answers to GET, whatever operation it is', () => {
    for (const path of [
      ...Object.keys(hostOps).map((op) => `/api/op/${op}`),
      '/api/cancel',
      '/api/compact',
      '/api/model',
    ]) {
      for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
        assert.equal(statusOf(method, path, [...HOST, ...AUTH, ...OURS]), 405, `${method} ${path}`)
      }
    }
    for (const path of ['/', '/api/state', '/api/stream', '/healthz', '/metrics', '/api/diff/1']) {
      for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE']) {
        assert.equal(statusOf(method, path, [...HOST, ...AUTH, ...OURS, ...JSON_BODY]), 405, `${method} ${path}`)
      }
    }
    assert.deepEqual(refuse({ method: 'GET', target: APPROVE, rawHeaders: HOST }, rules)?.headers, { allow: 'POST' })
  })

  test('S10: no path that means another to somebody else', () => {
    const encoded = [
      '/api/agents/..%2f..%2fetc/passwd',
      '/a%00',
      '/%61pi/state',
      '/api%2fstate',
      '/%2e%2e/x',
      '/api/%6fp/x',
    ]
    for (const target of [
      ...encoded,
      '/../etc/passwd',
      '/a/./b',
      '/a\\b',
      '/a//b',
      '/ä',
      '/a b',
      `/${'a'.repeat(1100)}`,
    ]) {
      assert.equal(statusOf('GET', target, [...HOST, ...AUTH]), 400, target)
    }
    assert.equal(statusOf('GET', '/api/x?path=..%2f', [...HOST, ...AUTH]), 200)
  })

  test('on the port of an agent no page is at home', () => {
    const { hosts } = namesOf(8100, REACH)
    const agent: GateRules = { ...rules, hosts, origins: new Set(), needsOrigin: false }
    const at = ['Host', '127.0.0.1:8100', ...AUTH, ...JSON_BODY]
    assert.equal(statusOf('POST', '/api/cancel', at, agent), 200)
    assert.equal(statusOf('POST', '/api/cancel', [...at, ...OURS], agent), 403)
    assert.equal(statusOf('POST', '/api/cancel', [...at, 'Origin', 'http://127.0.0.1:8100'], agent), 403)
    assert.equal(statusOf('GET', '/', ['Host', '127.0.0.1:8100', 'Sec-Fetch-Site', 'none'], agent), 200)
  })
})
