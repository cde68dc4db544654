import '@xterm/xterm/css/xterm.css'
import { type ITheme, Terminal } from '@xterm/xterm'
import type { Size } from './terminal-link.ts'

export interface ScreenOptions {
  readonly onType: (bytes: Uint8Array) => void
  readonly onSize: (size: Size) => void
  /** Where the focus goes on the key that leaves the terminal. */
  readonly onLeave: () => void
}

export interface Screen extends Disposable {
  readonly size: Size
  /** Resolves when it is on the screen. */
  show(bytes: Uint8Array): Promise<void>
  focus(): void
  /** Takes on the colours of the theme of the page. */
  recolour(): void
}

const FONT = { fontFamily: 'ui-monospace, "SFMono-Regular", "DejaVu Sans Mono", Menlo, monospace', fontSize: 13 }
/** Everything that a program may be told by a terminal's keys goes there, but this one. */
const LEAVE = 'F6'

/**
 * A screen that fills `place`. What an agent writes only draws: nothing that it says becomes a link, a title of the page or
 * content of the clipboard.
 */
export function openScreen(place: HTMLElement, { onType, onSize, onLeave }: ScreenOptions): Screen {
  const terminal = new Terminal({
    ...FONT,
    theme: readColours(),
    minimumContrastRatio: 4.5,
    scrollback: 2000,
    screenReaderMode: true,
    linkHandler: { activate() {} },
  })
  // A link of its words: they stay, without leading anywhere.
  terminal.parser.registerOscHandler(8, () => true)
  terminal.open(place)
  terminal.attachCustomKeyEventHandler((event) => {
    if (event.key !== LEAVE || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return true
    event.preventDefault()
    if (event.type === 'keydown') onLeave()
    return false
  })
  terminal.onData((text) => onType(new TextEncoder().encode(text)))
  terminal.onBinary((text) => onType(Uint8Array.from(text, (character) => character.charCodeAt(0))))
  const fit = () => fitTo(place, terminal)
  fit()
  terminal.onResize(({ cols, rows }) => onSize({ cols, rows }))
  const watch = new ResizeObserver(fit)
  watch.observe(place)
  return {
    size: terminal,
    show: (bytes) => new Promise((resolve) => terminal.write(bytes, resolve)),
    focus: () => terminal.focus(),
    recolour() {
      terminal.options.theme = readColours()
    },
    [Symbol.dispose]() {
      watch.disconnect()
      terminal.dispose()
    },
  }
}

/** Of the bar for scrolling, in CSS pixels: nothing is to stand below it. */
const BAR_WIDTH = 14

/** As many rows and columns as there is room for. */
function fitTo(place: HTMLElement, terminal: Terminal): void {
  const screen = place.querySelector('.xterm-screen')
  if (!screen || place.clientWidth === 0) return
  const { width, height } = screen.getBoundingClientRect()
  const cols = Math.floor((place.clientWidth - BAR_WIDTH) / (width / terminal.cols))
  const rows = Math.floor(place.clientHeight / (height / terminal.rows))
  if (Number.isFinite(cols) && Number.isFinite(rows)) terminal.resize(Math.max(2, cols), Math.max(1, rows))
}

/** The colours of a terminal in those of the theme. */
function readColours(): ITheme {
  const style = getComputedStyle(document.documentElement)
  const colour = (name: string): string => style.getPropertyValue(`--${name}`).trim()
  const [fg, err, ok, accent, info, think] = ['fg', 'err', 'ok', 'accent', 'info', 'think'].map(colour)
  return {
    background: colour('bg'),
    foreground: fg,
    cursor: accent,
    cursorAccent: colour('bg'),
    selectionBackground: colour('line'),
    black: colour('raise'),
    brightBlack: colour('faint'),
    white: colour('dim'),
    brightWhite: fg,
    ...{ red: err, green: ok, yellow: accent, blue: info, magenta: think, cyan: info },
    ...{
      brightRed: err,
      brightGreen: ok,
      brightYellow: accent,
      brightBlue: info,
      brightMagenta: think,
      brightCyan: info,
    },
  }
}
