import { Meter as Base } from '@base-ui/react/meter'
import { classNames } from './class-names.ts'

/** How much of something is used: 0 to 1 and more. */
export function Meter({ used, label, text }: { used: number; label: string; text: string }) {
  const tone = used >= 0.9 ? 'bg-err' : used >= 0.7 ? 'bg-accent' : 'bg-ok'
  return (
    <Base.Root
      value={Math.max(0, Math.min(used, 1)) * 100}
      aria-label={label}
      aria-valuetext={text}
      title={label}
      className="inline-flex items-center gap-1.5 rounded-full bg-raise px-2 py-0.5 font-mono text-xs whitespace-nowrap text-dim"
    >
      <Base.Track className="block h-1 w-10 bg-line">
        <Base.Indicator className={classNames('block', tone)} />
      </Base.Track>
      <span aria-hidden="true">{text}</span>
    </Base.Root>
  )
}
