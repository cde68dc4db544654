import { Toast } from '@base-ui/react/toast'
import { X } from 'lucide-react'
import { type ReactNode, useMemo } from 'react'
import { HiveError } from '../../wire/errors.ts'
import { visible } from './visible.ts'

/** Says in passing what came of a deed. */
export interface Notices {
  done(title: string, detail?: string): void
  /** Stays until it is closed. */
  problem(title: string, detail?: string): void
  /** What an operation says of why it failed, with the next step. */
  error(error: unknown): void
}

export function useToast(): Notices {
  const { add } = Toast.useToastManager()
  return useMemo(() => {
    const problem = (title: string, detail?: string) =>
      void add({ title: visible(title), description: detail && visible(detail), type: 'problem', timeout: 0 })
    return {
      done: (title, detail) => void add({ title, description: detail }),
      problem,
      error(error) {
        const message = error instanceof Error ? error.message : String(error)
        problem(message, error instanceof HiveError ? error.hint : undefined)
      },
    }
  }, [add])
}

/** Shows what is said with `useToast` within it. */
export const Toasts = ({ children }: { children: ReactNode }) => (
  <Toast.Provider limit={4} timeout={4000}>
    {children}
    <Toast.Portal>
      <Toast.Viewport className="fixed right-3 bottom-3 z-50 flex w-[min(24rem,calc(100vw-1.5rem))] flex-col gap-2">
        <ToastList />
      </Toast.Viewport>
    </Toast.Portal>
  </Toast.Provider>
)

function ToastList() {
  const { toasts } = Toast.useToastManager()
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
