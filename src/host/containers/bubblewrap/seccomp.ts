import { HiveError } from '../../../wire/errors.ts'

/**
 * The system calls that a sandbox does without, as a program for the kernel: classic BPF over `struct seccomp_data`.
 * Namespaces leave ways out and ways around that this closes: address families that are not namespaced (AF_VSOCK reaches
 * the hypervisor's host), interfaces with a history of holes, and means to get at another process of the same uid.
 */
export interface SystemCalls {
  /** AUDIT_ARCH_… of the kernel. */
  readonly audit: number
  readonly socket: readonly number[]
  readonly denied: readonly number[]
  /** Numbers of the x32 ABI, which come under the same `audit`. */
  readonly hasX32: boolean
}

export const SYSTEM_CALLS: Readonly<Partial<Record<NodeJS.Architecture, SystemCalls>>> = {
  x64: {
    audit: 0xc000_003e,
    // socket, socketpair
    socket: [41, 53],
    denied: [
      ...[101, 310, 311, 438], // ptrace, process_vm_readv, process_vm_writev, pidfd_getfd
      ...[248, 249, 250], // add_key, request_key, keyctl: keyrings know no namespaces
      ...[321, 323, 298], // bpf, userfaultfd, perf_event_open
      ...[246, 320, 175, 313, 176], // kexec_load, kexec_file_load, init_module, finit_module, delete_module
      ...[425, 426, 427], // io_uring_setup, io_uring_enter, io_uring_register: they make sockets past this filter
    ],
    hasX32: true,
  },
  arm64: {
    audit: 0xc000_00b7,
    socket: [198, 199],
    denied: [
      ...[117, 270, 271, 438],
      ...[217, 218, 219],
      ...[280, 282, 241],
      ...[104, 294, 105, 273, 106],
      ...[425, 426, 427],
    ],
    hasX32: false,
  },
}

/** AF_UNIX, AF_INET, AF_INET6, AF_NETLINK: each of them is namespaced. */
const FAMILIES = [1, 2, 10, 16]
const EPERM = 1
const EAFNOSUPPORT = 97

// Offsets in `struct seccomp_data`; of an argument the lower half, which is all that the kernel takes of an int.
const NUMBER = 0
const AUDIT = 4
const FIRST_ARGUMENT = 16

const load = (offset: number): Instruction => [0x20, 0, 0, offset]
/** How many instructions are skipped when it is equal (at least) and when not. */
const ifEqual = (value: number, yes: number, no: number): Instruction => [0x15, yes, no, value]
const ifAtLeast = (value: number, yes: number, no: number): Instruction => [0x35, yes, no, value]
const ALLOW: Instruction = [0x06, 0, 0, 0x7fff_0000]
const KILL: Instruction = [0x06, 0, 0, 0x8000_0000]
const refuse = (errno: number): Instruction => [0x06, 0, 0, 0x0005_0000 | errno]

export type Instruction = readonly [code: number, jumpIfTrue: number, jumpIfFalse: number, value: number]

export function filterProgram({ audit, socket, denied, hasX32 }: SystemCalls): Instruction[] {
  return [
    // Another architecture (32-bit programs on a 64-bit kernel) has other numbers.
    load(AUDIT),
    ifEqual(audit, 1, 0),
    KILL,
    load(NUMBER),
    ...(hasX32
      ? [
          ifAtLeast(0x4000_0000, 0, 1),
          refuse(EPERM),
          // x32's own numbers, which old kernels take without its mark.
          ifAtLeast(548, 2, 0),
          ifAtLeast(512, 0, 1),
          refuse(EPERM),
        ]
      : []),
    ...denied.flatMap((number) => [ifEqual(number, 0, 1), refuse(EPERM)]),
    ...socket.map((number, index) => ifEqual(number, socket.length - index, 0)),
    ALLOW,
    load(FIRST_ARGUMENT),
    ...FAMILIES.flatMap((family) => [ifEqual(family, 0, 1), ALLOW]),
    refuse(EAFNOSUPPORT),
  ]
}

/** The filter of this machine, as `bwrap --seccomp` reads it. Throws `unavailable` where none is known. */
export function filterBytes(arch: NodeJS.Architecture = process.arch): Buffer {
  const calls = SYSTEM_CALLS[arch]
  if (!calls) throw new HiveError('unavailable', `no system call filter is known for ${arch}`)
  const program = filterProgram(calls)
  const bytes = Buffer.alloc(program.length * 8)
  for (const [index, [code, yes, no, value]] of program.entries()) {
    bytes.writeUInt16LE(code, index * 8)
    bytes.writeUInt8(yes, index * 8 + 2)
    bytes.writeUInt8(no, index * 8 + 3)
    bytes.writeUInt32LE(value, index * 8 + 4)
  }
  return bytes
}
