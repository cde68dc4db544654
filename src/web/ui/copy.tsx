import { Check, Copy as CopyIcon } from 'lucide-react'
import { useState } from 'react'
import { useToast } from './toast.tsx'

/** Copies a text. A browser may refuse that beyond localhost without TLS: then it says so. */
export function Copy({ text, label = 'Copy' }: { text: string; label?: string }) {
  const [isCopied, setCopied] = useState(false)
  const toast = useToast()
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text)
      setCopied(true)
    } catch {
      toast.problem('The browser does not let this page copy', 'select the text and copy it by hand')
    }
  }
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      onClick={copy}
      onBlur={() => setCopied(false)}
      className="cursor-pointer rounded p-1 text-faint hover:bg-raise hover:text-fg"
    >
      {isCopied ? <Check size={14} /> : <CopyIcon size={14} />}
    </button>
  )
}
