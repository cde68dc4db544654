/** Hosts of the provider, where an operator may be sent to log in. */
const HOSTS: readonly string[] = [
  'claude.com',
  'claude.ai',
  'anthropic.com',
  'console.anthropic.com',
  'platform.claude.com',
]

/**
 * Why the operator must not be sent to this page; undefined when they may. The URL is the claim of an agent that may be
 * hostile: only the page where the provider asks for consent will do, and only if it hands the code to another of its own.
 */
export function findUrlProblem(text: string): string | undefined {
  const url = URL.parse(text)
  if (!url) return 'it is no URL'
  if (url.protocol !== 'https:' || url.port !== '' || url.username !== '' || url.password !== '')
    return 'it is no plain https'
  // What a terminal or a page shows must be what the browser opens.
  if (url.href !== text) return 'it is not spelled plainly'
  if (!HOSTS.includes(url.hostname)) return `${url.hostname} is no host of the provider`
  if (!url.pathname.endsWith('/oauth/authorize')) return 'it is not the page of a login'
  const targets = url.searchParams.getAll('redirect_uri')
  if (targets.length > 1) return 'it leads to more than one page'
  const [target] = targets
  if (target !== undefined && !isOfProvider(URL.parse(target))) return 'it hands the code to somebody else'
}

const isOfProvider = (url: URL | null): boolean => url?.protocol === 'https:' && HOSTS.includes(url.hostname)
