import { classNames } from './class-names.ts'

/** A field that narrows a list down as one types; `/` leads to the first of a page. */
export const Filter = ({
  label,
  placeholder,
  value,
  onChange,
  className,
}: {
  label: string
  placeholder: string
  value: string
  onChange: (value: string) => void
  className?: string
}) => (
  <input
    type="search"
    aria-label={label}
    placeholder={placeholder}
    value={value}
    onChange={({ target }) => onChange(target.value)}
    className={classNames('min-w-24', className)}
  />
)
