import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { filterBytes, SYSTEM_CALLS, type SystemCalls } from './seccomp.ts'

const X64 = SYSTEM_CALLS.x64 as SystemCalls
const ARM64 = SYSTEM_CALLS.arm64 as SystemCalls

/** Runs the filter as the kernel would. */
function judge(arch: 'x64' | 'arm64', audit: number, number: number, firstArgument = 0): string {
  const program = filterBytes(arch)
  const data = Buffer.alloc(64)
  data.writeUInt32LE(number, 0)
  data.writeUInt32LE(audit, 4)
  data.writeBigUInt64LE(BigInt.asUintN(64, BigInt(firstArgument)), 16)
  let accumulator = 0
  for (let at = 0; ; at++) {
    const code = program.readUInt16LE(at * 8)
    const [yes, no] = [program.readUInt8(at * 8 + 2), program.readUInt8(at * 8 + 3)]
    const value = program.readUInt32LE(at * 8 + 4)
    if (code === 0x20) accumulator = data.readUInt32LE(value)
    else if (code === 0x15) at += accumulator === value ? yes : no
    else if (code === 0x35) at += accumulator >= value ? yes : no
    else if (code === 0x06) return nameOf(value)
    else throw new Error(`code ${code} at ${at}`)
  }
}

const nameOf = (value: number): string => {
  if (value === 0x7fff0000) return 'allow'
  if (value === 0x80000000) return 'kill'
  return `errno ${value & 0xffff}`
}
const EPERM = 'errno 1'
const EAFNOSUPPORT = 'errno 97'

describe('the system call filter', () => {
  it('lets through what programs live on', () => {
    const [read, openat, clone3, execve, pidfdOpen] = [0, 257, 435, 59, 434]
    for (const number of [read, openat, clone3, execve, pidfdOpen, 511, 548])
      assert.equal(judge('x64', X64.audit, number), 'allow', `${number}`)
    for (const number of [63, 56, 435, 221, 434])
      assert.equal(judge('arm64', ARM64.audit, number), 'allow', `${number}`)
  })

  it('knows four address families', () => {
    for (const [arch, calls] of [
      ['x64', X64],
      ['arm64', ARM64],
    ] as const) {
      for (const number of calls.socket) {
        const allowed = Array.from({ length: 64 }, (_, family) => family).filter(
          (family) => judge(arch, calls.audit, number, family) === 'allow',
        )
        assert.deepEqual(allowed, [1, 2, 10, 16])
        assert.equal(judge(arch, calls.audit, number, 40), EAFNOSUPPORT)
        assert.equal(judge(arch, calls.audit, number, -1), EAFNOSUPPORT)
        // The kernel looks at the lower half alone.
        assert.equal(judge(arch, calls.audit, number, 2 ** 32 + 40), EAFNOSUPPORT)
      }
    }
  })

  it('refuses what reaches into other processes or the kernel', () => {
    for (const number of X64.denied) assert.equal(judge('x64', X64.audit, number), EPERM)
    for (const number of ARM64.denied) assert.equal(judge('arm64', ARM64.audit, number), EPERM)
    assert.equal(X64.denied.length, ARM64.denied.length)
    const [ptrace, pidfdGetfd, ioUringSetup] = [101, 438, 425]
    for (const number of [ptrace, pidfdGetfd, ioUringSetup]) assert.ok(X64.denied.includes(number))
  })

  it('ends a program that calls as another architecture, and refuses the x32 calls', () => {
    const i386 = 0x40000003
    assert.equal(judge('x64', i386, 0), 'kill')
    assert.equal(judge('arm64', X64.audit, 0), 'kill')
    for (const number of [0x40000000, 0x40000000 + 41, 0xffffffff, 512, 521, 547])
      assert.equal(judge('x64', X64.audit, number), EPERM)
  })

  it('says that it knows none for another machine', () => {
    assert.throws(() => filterBytes('riscv64'), { code: 'unavailable', message: /riscv64/ })
  })
})
