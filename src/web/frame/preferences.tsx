import { createContext, type ReactNode, useContext, useEffect, useLayoutEffect, useMemo, useState } from 'react'

export const THEMES = ['vibec0re', 'dark', 'light'] as const
export type Theme = (typeof THEMES)[number]

/** What an operator likes, in this browser. */
export interface Preferences {
  readonly theme: Theme
  /** Single letters do something; off for those who speak to their machine. */
  readonly hasKeys: boolean
  /** The browser notifies of nothing, whatever it may. */
  readonly isMuted: boolean
}

export const DEFAULT_PREFERENCES: Preferences = { theme: 'vibec0re', hasKeys: true, isMuted: false }
const KEY = 'hive-preferences'

interface Kept extends Preferences {
  readonly change: (some: Partial<Preferences>) => void
}

const PreferencesContext = createContext<Kept | undefined>(undefined)

/** Keeps the preferences of this browser, and shows the page in its theme. */
export function PreferencesProvider({ children }: { children: ReactNode }) {
  const [preferences, setPreferences] = useState(() => readPreferences(localStorage.getItem(KEY)))
  useLayoutEffect(() => {
    document.documentElement.dataset.theme = preferences.theme
  }, [preferences.theme])
  useEffect(() => {
    // What another tab changed: muted in one is muted in all.
    const follow = ({ key, newValue }: StorageEvent) => key === KEY && setPreferences(readPreferences(newValue))
    addEventListener('storage', follow)
    return () => removeEventListener('storage', follow)
  }, [])
  const kept = useMemo(
    () => ({
      ...preferences,
      change(some: Partial<Preferences>) {
        const next = { ...preferences, ...some }
        localStorage.setItem(KEY, JSON.stringify(next))
        setPreferences(next)
      },
    }),
    [preferences],
  )
  return <PreferencesContext value={kept}>{children}</PreferencesContext>
}

export function usePreferences(): Kept {
  const kept = useContext(PreferencesContext)
  if (!kept) throw new Error('a part of the page stands outside of PreferencesProvider')
  return kept
}

/** What was kept, with the usual in place of what is missing or not understood: nothing depends on it. */
function readPreferences(text: string | null): Preferences {
  try {
    const { theme, hasKeys, isMuted } = JSON.parse(text ?? '{}')
    return {
      theme: THEMES.find((one) => one === theme) ?? DEFAULT_PREFERENCES.theme,
      hasKeys: typeof hasKeys === 'boolean' ? hasKeys : DEFAULT_PREFERENCES.hasKeys,
      isMuted: typeof isMuted === 'boolean' ? isMuted : DEFAULT_PREFERENCES.isMuted,
    }
  } catch {
    return DEFAULT_PREFERENCES // Written by something else: the next change writes it anew.
  }
}
