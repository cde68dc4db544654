import { execFileSync } from 'node:child_process'
import { lchownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const IS_ROOT = process.getuid?.() === 0
/** Owns what is not the manager's, where the test may give it away. */
const OTHER_UID = 12345

/** The file systems of a manager's sandbox in a temporary directory, and the parts of daemon, manager and other agents. */
export function makeRoom() {
  const path = mkdtempSync(join(tmpdir(), 'hive-repositories-'))
  const within = (name: string) => {
    mkdirSync(join(path, name))
    return join(path, name)
  }
  const places = {
    applied: within('applied'),
    proposed: within('proposed'),
    meta: within('meta'),
    home: within('home'),
  }
  const daemonHome = within('daemon')
  const agents = within('agents')

  const runGit = (home: string, directory: string, args: readonly string[], env: Record<string, string> = {}): string =>
    execFileSync('git', ['-C', directory, ...args], {
      encoding: 'utf8',
      stdio: 'pipe',
      env: { PATH: process.env.PATH, HOME: home, LC_ALL: 'C.UTF-8', GIT_CONFIG_NOSYSTEM: '1', ...env },
    })
  const asDaemon = (directory: string, ...args: string[]) => runGit(daemonHome, directory, args)

  /** Commits `files` and gives the commit's id. */
  const commitAs = (git: (...args: string[]) => string, directory: string, files: Record<string, string>) => {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text)
    git('add', '--all')
    git('commit', '--quiet', '--message', `change ${Object.keys(files)}`)
    return git('rev-parse', 'HEAD').trim()
  }

  writeFileSync(
    join(daemonHome, '.gitconfig'),
    '[user]\n\tname = daemon\n\temail = daemon@localhost\n[safe]\n\tdirectory = *\n',
  )
  asDaemon(places.meta, 'init', '--quiet', '--initial-branch=main')
  commitAs((...args) => asDaemon(places.meta, ...args), places.meta, { 'deployments.json': '{}' })
  giveAway(places.meta)
  giveAway(places.applied)

  return {
    places,
    agents,
    isRoot: IS_ROOT,
    giveAway,
    /** Git as the manager runs it in its shell. */
    git: (directory: string, ...args: string[]) => runGit(places.home, directory, args),
    gitWith: (env: Record<string, string>, directory: string, ...args: string[]) =>
      runGit(places.home, directory, args, env),
    /** The daemon seeds a repository, or moves its `main`, and tags it `deployed/<id>`. */
    deploy(agent: string, id: number, files: Record<string, string>): string {
      const work = mkdtempSync(join(path, 'work-'))
      const gitDir = join(places.applied, agent, '.git')
      const git = (...args: string[]) => asDaemon(work, ...args)
      if (id === 0) asDaemon(path, 'init', '--quiet', '--bare', '--initial-branch=main', gitDir)
      git('init', '--quiet', '--initial-branch=main')
      if (id > 0) git('pull', '--quiet', gitDir, 'main')
      const sha = commitAs(git, work, files)
      git('push', '--quiet', gitDir, 'main', `main:refs/tags/deployed/${id}`)
      giveAway(join(places.applied, agent))
      return sha
    },
    /** Takes a pack as the daemon does, and gives the files of the commit that it brought. */
    take(agent: string, sha: string, pack: string): string[] {
      const gitDir = join(places.applied, agent, '.git')
      execFileSync(
        'git',
        ['-c', 'safe.directory=*', '--git-dir', gitDir, 'index-pack', '--stdin', '--fix-thin', '--strict'],
        {
          input: Buffer.from(pack, 'base64'),
          stdio: 'pipe',
        },
      )
      asDaemon(gitDir, 'rev-list', '--objects', '--quiet', sha, '--not', '--all')
      return asDaemon(gitDir, 'ls-tree', '--name-only', sha).trim().split('\n')
    },
    purge: (agent: string) => rmSync(join(places.applied, agent), { recursive: true }),
    /** Makes the daemon one that has the manager's uid. */
    takeBack(): void {
      for (const place of [places.applied, places.meta]) give(place, process.getuid?.() ?? 0)
    },
    /** The manager commits in its clone. */
    commit(agent: string, files: Record<string, string>): string {
      const clone = join(places.proposed, agent)
      return commitAs((...args) => runGit(places.home, clone, args), clone, files)
    },
    clone: (agent: string) => join(places.proposed, agent),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  }
}
export type Room = ReturnType<typeof makeRoom>

/** Gives `path` and all below it to somebody else, as far as the test may. */
const giveAway = (path: string): void => give(path, OTHER_UID)

function give(path: string, uid: number): void {
  if (!IS_ROOT) return
  lchownSync(path, uid, uid)
  for (const entry of readdirSync(path, { recursive: true }) as string[]) lchownSync(join(path, entry), uid, uid)
}
