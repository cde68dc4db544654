/** What cannot be undone is done once its name was typed. */
export const TypedName = ({
  name,
  value,
  onChange,
}: {
  name: string
  value: string
  onChange: (value: string) => void
}) => (
  <label className="flex flex-col gap-1">
    <span>
      Type <code className="font-mono text-accent">{name}</code> to confirm
    </span>
    <input autoComplete="off" spellCheck={false} value={value} onChange={({ target }) => onChange(target.value)} />
  </label>
)
