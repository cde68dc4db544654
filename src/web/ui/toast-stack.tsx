import { Toast } from '@base-ui/react/toast'
import { X } from 'lucide-react'
import { useEffect, useRef } from 'react'
import type { Notice } from './toast.tsx'

/** The notices that are new, one above the other. */
export const ToastStack = ({ said }: { said: readonly Notice[] }) => (
  <Toast.Provider limit={4} timeout={4000}>
    <Toast.Portal>
      <Toast.Viewport className="fixed right-3 bottom-3 z-50 flex w-[min(24rem,calc(100vw-1.5rem))] flex-col gap-2">
        <ToastList said={said} />
      </Toast.Viewport>
    </Toast.Portal>
  </Toast.Provider>
)

function ToastList({ said }: { said: readonly Notice[] }) {
  const { toasts, add } = Toast.useToastManager()
  const shown = useRef(0)
  useEffect(() => {
    for (const { title, detail, isProblem } of said.slice(shown.current)) {
      add({ title, description: detail, ...(isProblem && { type: 'problem', timeout: 0 }) })
    }
    shown.current = said.length
  }, [said, add])
  return toasts.map((toast) => (
    <Toast.Root
      key={toast.id}
      toast={toast}
      className="rounded-lg border border-line bg-panel p-3 shadow-lg data-[type=problem]:border-err"
    >
      <Toast.Content className="flex items-start gap-2">
        <div className="min-w-0 flex-1">
          <Toast.Title className="font-semibold break-words" />
          <Toast.Description className="break-words whitespace-pre-wrap text-dim" />
        </div>
        <Toast.Close aria-label="Close" className="cursor-pointer rounded p-1 text-faint hover:bg-raise">
          <X size={14} />
        </Toast.Close>
      </Toast.Content>
    </Toast.Root>
  ))
}
