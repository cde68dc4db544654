import { useEffect } from 'react'
import { useLive } from '../api/live.ts'
import { titleOf } from './tab-title.ts'

/** Title of the tab and its icon say how much waits, whether or not the browser may notify. */
export function useAttention(page: string): void {
  const needs = useLive(({ state }) => state?.needs.length ?? 0)
  useEffect(() => {
    document.title = titleOf(page, needs)
    const icon = document.querySelector('link[rel="icon"]')
    icon?.setAttribute('href', iconOf(needs > 0))
  }, [page, needs])
}

const iconOf = (hasNeeds: boolean): string => {
  const dot = hasNeeds ? "<circle cx='12.5' cy='3.5' r='3.5' fill='#ff4d6d'/>" : ''
  const svg = `<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><path d='M8 1l6 3.5v7L8 15l-6-3.5v-7z' fill='#ffb000'/>${dot}</svg>`
  return `data:image/svg+xml,${encodeURIComponent(svg)}`
}
