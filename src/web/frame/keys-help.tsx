import { Dialog } from '../ui/dialog.tsx'
import { KEYS_HELP } from './keys.ts'

/** Which keys do what. */
export const KeysHelp = ({ onClose }: { onClose: () => void }) => (
  <Dialog onClose={onClose} title="Keys">
    {KEYS_HELP.map(([where, keys]) => (
      <section key={where} className="mb-3">
        <h3 className="mb-1 text-dim">{where}</h3>
        <dl className="grid grid-cols-[8rem_1fr] gap-y-1">
          {keys.map(([key, what]) => (
            <div key={key} className="contents">
              <dt className="font-mono text-accent">{key}</dt>
              <dd>{what}</dd>
            </div>
          ))}
        </dl>
      </section>
    ))}
  </Dialog>
)
