import { Dialog as Base } from '@base-ui/react/dialog'
import type { DialogProps } from './dialog.tsx'

/** A dialog that is open. */
export const DialogPopup = ({ onClose, title, children }: DialogProps) => (
  <Base.Root open onOpenChange={(open) => open || onClose()}>
    <Base.Portal>
      <Base.Backdrop className="fixed inset-0 z-40 bg-black/60" />
      <Base.Popup className="fixed top-1/2 left-1/2 z-40 max-h-[85dvh] w-[min(34rem,calc(100vw-1.5rem))] -translate-x-1/2 -translate-y-1/2 overflow-auto rounded-lg border border-line bg-panel p-4 shadow-xl">
        <Base.Title className="mb-3 text-base">{title}</Base.Title>
        {children}
      </Base.Popup>
    </Base.Portal>
  </Base.Root>
)
