import { createGit } from '../../kit/git.ts'
import { MAIN, tagRef } from './refs.ts'

/** Path → text. */
export type Files = Readonly<Record<string, string>>

/** A bare repository that everybody may read, whatever the umask is. `gitDir` must not be there yet. */
export async function makeRepository(gitDir: string, files: Files, message: string): Promise<void> {
  const git = createGit({ gitDir })
  await git.run(['init', '--quiet', '--bare', '--shared=0644', '--initial-branch=main', '--template='])
  await git.run(['fast-import', '--quiet', '--date-format=now'], { stdin: importOf(files, message) })
}

function importOf(files: Files, message: string): string {
  const data = (text: string) => `data ${Buffer.byteLength(text)}\n${text}\n`
  return [
    `commit ${MAIN}\n`,
    'committer hyperhive <hyperhive@localhost> now\n',
    data(message),
    ...Object.entries(files).map(([path, text]) => `M 100644 inline ${path}\n${data(text)}`),
    `reset ${tagRef('deployed', 0)}\nfrom ${MAIN}\n\n`,
  ].join('')
}
