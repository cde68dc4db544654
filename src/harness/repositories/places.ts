/** Where the manager's sandbox has its repositories. */
export interface RepositoryPlaces {
  /** `<applied>/<agent>/.git`: what runs, and a tag for each step of each proposal. Read-only, the daemon's. */
  readonly applied: string
  /** `<proposed>/<agent>`: the manager's clones. */
  readonly proposed: string
  /** What is deployed. Read-only, the daemon's. */
  readonly meta: string
  /** Home of the manager, where its git looks for its config. */
  readonly home: string
}
