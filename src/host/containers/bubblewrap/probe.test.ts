import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { explainRefusal, findMissing } from './probe.ts'

describe('explainRefusal', () => {
  const explain = (settings: Record<string, string>) => explainRefusal('bwrap: no', (path) => settings[path])

  it('names the setting of the kernel that forbids user namespaces, with its fix', () => {
    for (const [setting, value] of [
      ['kernel/apparmor_restrict_unprivileged_userns', '1'],
      ['kernel/unprivileged_userns_clone', '0'],
      ['user/max_user_namespaces', '0'],
    ] as const) {
      const { what, fix } = explain({ [setting]: value })
      const name = setting.replace('/', '.')
      assert.ok(what.includes(name), what)
      assert.match(fix, new RegExp(`^sysctl -w ${name}=\\d+`))
    }
  })

  it('passes on the complaint when the settings are fine', () => {
    const settings = { 'kernel/apparmor_restrict_unprivileged_userns': '0', 'user/max_user_namespaces': '100' }
    assert.deepEqual(explain(settings), { what: 'bwrap: no', fix: 'see docs/containers.md' })
  })
})

describe('findMissing', () => {
  it('names each missing command with the package that has it', () => {
    const missing = findMissing(['/no/such/directory'])
    assert.ok(missing.some(({ what, fix }) => what.startsWith('bwrap ') && fix === 'apt-get install bubblewrap'))
    assert.ok(missing.some(({ what, fix }) => what.startsWith('nsenter ') && fix === 'apt-get install util-linux'))
    assert.ok(missing.some(({ what, fix }) => what.startsWith('setpriv ') && fix === 'apt-get install util-linux'))
    assert.deepEqual(findMissing(), [])
  })
})
