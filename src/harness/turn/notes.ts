import { constants } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { randomMarker } from './wake-prompt.ts'

/** Longer notes cost every turn that reads them. */
const MAX_BYTES = 64 * 1024
/** So much of them a session that begins afresh is told at once. */
const HEAD_BYTES = 8 * 1024
/** What is longer is not notes: it is not copied. */
const MAX_KEPT_BYTES = 4 * 1024 * 1024
const MAX_VERSIONS = 5
const VERSION = /^notes-.*\.md$/

/** What an agent has written down for itself: `notes.md` in its `/state`. Everything there is the agent's to write. */
export class Notes {
  readonly #directory: string
  readonly #file: string
  readonly #versions: string

  /** `directory`: its `/state`. */
  constructor(directory: string) {
    this.#directory = directory
    this.#file = join(directory, 'notes.md')
    this.#versions = join(directory, '.notes')
  }

  /**
   * How the notes begin, in words for the model, and where the rest is; between random markers, since others may be quoted in them.
   * Throws when they are there and cannot be read.
   */
  async head(marker = randomMarker()): Promise<string> {
    await using file = await openNotes(this.#file)
    if (!file) return `You have no notes in ${this.#file}; look what else is in ${this.#directory}.`
    const { size } = await file.stat()
    const text = (await readStart(file, HEAD_BYTES)).toString('utf8')
    const rest = size > HEAD_BYTES ? `The first ${HEAD_BYTES} of ${size} bytes of your` : 'Your'
    return `${rest} own notes, ${this.#file}, between the markers:\n<<<${marker}\n${text.trim().replaceAll('\0', '')}\n${marker}>>>`
  }

  /**
   * What the model has to be told when the notes have grown too long; then this version of them is kept, the last few at least.
   * Throws when that cannot be done.
   */
  async complaint(): Promise<string | undefined> {
    await using file = await openNotes(this.#file)
    if (!file) return undefined
    const { size, mtime } = await file.stat()
    if (size <= MAX_BYTES) return undefined
    const kept = size <= MAX_KEPT_BYTES ? await this.#keep(await readStart(file, size), mtime) : undefined
    const safe = kept ? `They are kept as they are now in ${kept}.` : 'They are too long to be kept as they are now.'
    return `From the hive, not from the sender: your notes in ${this.#file} are ${toKiB(size)} KiB long, ${toKiB(MAX_BYTES)} at most are useful. Shorten them before you end this turn: what is still needed stays, details go into files of their own. ${safe}`
  }

  /** The same version is kept once. */
  async #keep(text: Buffer, writtenAt: Date): Promise<string> {
    await mkdir(this.#versions, { recursive: true, mode: 0o750 })
    const path = join(this.#versions, `notes-${writtenAt.toISOString().replaceAll(':', '')}.md`)
    try {
      await writeFile(path, text, { flag: 'wx', mode: 0o640 })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    const names = (await readdir(this.#versions)).filter((name) => VERSION.test(name)).sort()
    for (const name of names.slice(0, -MAX_VERSIONS))
      await rm(join(this.#versions, name), { recursive: true, force: true })
    return path
  }
}

const toKiB = (bytes: number): number => Math.ceil(bytes / 1024)

/** Undefined when there are none. A link is none, nor is anything that could keep its reader waiting. */
async function openNotes(path: string): Promise<FileHandle | undefined> {
  let file: FileHandle
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    if (['ENOENT', 'ELOOP'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
  if ((await file.stat()).isFile()) return file
  await file.close()
  return undefined
}

async function readStart(file: FileHandle, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, 0)
  return buffer.subarray(0, bytesRead)
}
