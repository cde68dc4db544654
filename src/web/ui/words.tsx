/** How headings and main buttons speak in the theme vibec0re; others are read as they are. */
const VIBE: Readonly<Record<string, string>> = {
  'Needs you': 'N33DS Y0U',
  Agents: 'C0NTAINERS',
  'Operator inbox': '1NB0X',
  'Message flow': 'M3SSAGE FL0W',
  'Deploy log': 'D3PL0Y L0G',
  'Kept state': 'K3PT ST4T3',
  'First steps': 'F1RST ST3PS',
  Approve: '◆ APPR0VE',
  'Approve & deploy': '◆ APPR0VE & D3PL0Y',
  'Deny…': '✗ D3NY…',
  Rebuild: '↻ R3BU1LD',
  'Request spawn': '+ R3QU3ST SPAWN',
  'Emergency stop': '■ ST0P ALL',
  Messages: 'M3SSAGES',
  Deploys: 'D3PL0YS',
  Settings: 'S3TTINGS',
}

/** Words in the dialect of the theme; what is read aloud is always plain. */
export function Words({ children }: { children: string }) {
  const vibe = VIBE[children]
  if (vibe === undefined) return <>{children}</>
  return (
    <>
      <span className="vibe:sr-only">{children}</span>
      <span aria-hidden="true" className="hidden vibe:inline">
        {vibe}
      </span>
    </>
  )
}
