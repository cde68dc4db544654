import { createBallast } from '../kit/ballast.ts'
import { type Database, openDatabase } from '../kit/sqlite.ts'

/** Appended to, never edited: each entry has been applied somewhere. */
const HIVE_MIGRATIONS = [
  `
  CREATE TABLE messages (
    id         INTEGER PRIMARY KEY,           -- never used again: the newest row stays
    sender     TEXT NOT NULL,
    recipient  TEXT NOT NULL,
    sent_at    INTEGER NOT NULL,
    root_id    INTEGER,                       -- null: it is its own root
    hops       INTEGER NOT NULL,
    reply_to   INTEGER,
    key        TEXT,
    state      TEXT NOT NULL CHECK (state IN ('queued', 'leased', 'done', 'dead')),
    urgent     INTEGER NOT NULL DEFAULT 0,    -- from the operator: before all others
    attempt    INTEGER NOT NULL DEFAULT 0,
    failures   INTEGER NOT NULL DEFAULT 0,
    epoch      INTEGER,                       -- who holds it, while leased
    woke       INTEGER NOT NULL DEFAULT 0,    -- this one began the turn that holds it
    not_before REAL,
    error      TEXT,
    done_at    INTEGER,
    dismissed  INTEGER NOT NULL DEFAULT 0,    -- dead, and the operator has dealt with it
    changed    INTEGER NOT NULL               -- grows with every change of any row
  ) STRICT;
  -- Apart from what changes with every step of a message, so that no step writes it again.
  CREATE TABLE bodies (id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;
  CREATE INDEX messages_queued ON messages (recipient, urgent DESC, id) WHERE state = 'queued';
  CREATE INDEX messages_dead ON messages (id) WHERE state = 'dead' AND dismissed = 0;
  CREATE INDEX messages_done ON messages (done_at) WHERE done_at IS NOT NULL;
  CREATE UNIQUE INDEX messages_key ON messages (sender, key, recipient) WHERE key IS NOT NULL;

  CREATE TABLE inboxes (
    agent         TEXT PRIMARY KEY,
    epoch         INTEGER NOT NULL DEFAULT 0,
    streak        INTEGER NOT NULL DEFAULT 0, -- turns in a row that ended with the API not to be had
    auth_failures INTEGER NOT NULL DEFAULT 0,
    parked        TEXT                        -- JSON of why and until when
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE chains (
    root_id      INTEGER PRIMARY KEY,
    allowed_hops INTEGER NOT NULL,
    paused_at    INTEGER,
    reason       TEXT,
    hops         INTEGER,
    agents       TEXT,                        -- JSON: whose messages made it necessary
    stopped      INTEGER NOT NULL DEFAULT 0
  ) STRICT;

  CREATE TABLE agents (
    name       TEXT PRIMARY KEY,
    slot       INTEGER NOT NULL UNIQUE,       -- its uid is the base plus this; kept until purge
    desired    TEXT NOT NULL CHECK (desired IN ('running', 'stopped')),
    destroyed  INTEGER NOT NULL DEFAULT 0,
    model      TEXT,                          -- the operator's choice; null: the default of the hive
    created_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE approvals (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,  -- kept for ever, never used again
    agent        TEXT NOT NULL,
    kind         TEXT NOT NULL CHECK (kind IN ('spawn', 'init_config', 'apply_commit')),
    state        TEXT NOT NULL CHECK (
                   state IN ('pending', 'stale', 'approved', 'deployed', 'failed', 'denied', 'cancelled')),
    sha          TEXT,
    base         TEXT,                               -- what ran when it was shown last
    requester    TEXT NOT NULL,
    description  TEXT,
    requested_at INTEGER NOT NULL,
    decided_at   INTEGER,
    ended_at     INTEGER,
    note         TEXT,
    tag          TEXT,
    tries        INTEGER NOT NULL DEFAULT 0          -- how often its deploy was begun
  ) STRICT;
  CREATE INDEX approvals_open ON approvals (id) WHERE state IN ('pending', 'stale', 'approved');
  CREATE INDEX approvals_agent ON approvals (agent, id);
  CREATE INDEX approvals_deploys ON approvals (ended_at) WHERE state IN ('deployed', 'failed');

  CREATE TABLE deploy_log (
    approval INTEGER NOT NULL,
    n        INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    text     TEXT NOT NULL,
    PRIMARY KEY (approval, n)
  ) STRICT, WITHOUT ROWID;

  -- What each agent runs with: applied/main, built.
  CREATE TABLE deployments (
    agent     TEXT PRIMARY KEY,
    sha       TEXT NOT NULL,
    reference TEXT NOT NULL,                         -- what the runtime made of it
    config    TEXT NOT NULL,                         -- JSON of its agent.json
    approval  INTEGER,                               -- null: the first, which none was needed for
    at        INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE audit (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    at       INTEGER NOT NULL,
    actor    TEXT NOT NULL,
    verb     TEXT NOT NULL,
    agent    TEXT,
    approval INTEGER,
    detail   TEXT NOT NULL                           -- JSON
  ) STRICT;
  CREATE INDEX audit_agent ON audit (agent, id);
  CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END;
  CREATE TRIGGER audit_kept BEFORE DELETE ON audit BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END;

  CREATE TABLE secrets (name TEXT PRIMARY KEY, value TEXT NOT NULL, set_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  `,
  `
  ALTER TABLE agents ADD COLUMN destroyed_at    INTEGER;
  ALTER TABLE agents ADD COLUMN crashed_at      INTEGER; -- when its container ended unasked last
  ALTER TABLE agents ADD COLUMN ended_life      TEXT;    -- of its container, which was ended on purpose
  ALTER TABLE agents ADD COLUMN paused_at       INTEGER;
  ALTER TABLE agents ADD COLUMN paused_reason   TEXT;
  ALTER TABLE agents ADD COLUMN told_login      TEXT;    -- JSON of what the manager was told last of its login
  ALTER TABLE agents ADD COLUMN refused_login   TEXT;    -- the one that the API refused last, as its harness calls it

  ALTER TABLE inboxes ADD COLUMN told_park TEXT;         -- JSON: what the manager was told last of its parking; null: a turn ended well since

  -- Revisions of the hive's programs: with which each agent is started.
  CREATE TABLE programs (
    agent     TEXT PRIMARY KEY REFERENCES agents ON DELETE CASCADE,
    revision  TEXT NOT NULL,
    failed    TEXT,                                       -- a revision that it could not be put on: not tried again by itself
    failed_at INTEGER,
    detail    TEXT,
    told      TEXT                                        -- of which revision the manager was told that it is not on it
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE questions (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,        -- kept for ever, never used again
    asker       TEXT NOT NULL,
    question    TEXT NOT NULL,
    options     TEXT NOT NULL,                            -- JSON
    multi       INTEGER NOT NULL,
    key         TEXT,
    state       TEXT NOT NULL CHECK (state IN ('open', 'answered', 'expired', 'cancelled')),
    asked_at    INTEGER NOT NULL,
    deadline_at INTEGER,
    answer      TEXT,
    answered_at INTEGER,
    told        INTEGER NOT NULL DEFAULT 0                -- its asker has the answer in the inbox
  ) STRICT;
  CREATE INDEX questions_open ON questions (id) WHERE state = 'open';
  CREATE INDEX questions_untold ON questions (id) WHERE state <> 'open' AND told = 0;
  CREATE UNIQUE INDEX questions_key ON questions (asker, key) WHERE key IS NOT NULL;

  CREATE TABLE permissions (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    agent       TEXT NOT NULL,
    epoch       INTEGER NOT NULL,
    request     TEXT NOT NULL,                            -- the engine's id of the call
    tool        TEXT NOT NULL,
    input       TEXT NOT NULL,
    description TEXT,
    pattern     TEXT,
    state       TEXT NOT NULL CHECK (state IN ('pending', 'permitted', 'refused', 'expired', 'withdrawn')),
    asked_at    INTEGER NOT NULL,
    deadline_at INTEGER NOT NULL,
    decided_at  INTEGER,
    message     TEXT,
    UNIQUE (agent, epoch, request)
  ) STRICT;
  CREATE INDEX permissions_pending ON permissions (agent) WHERE state = 'pending';
  CREATE INDEX permissions_agent ON permissions (agent, id);

  CREATE TABLE reminders (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    agent   TEXT NOT NULL REFERENCES agents ON DELETE CASCADE,
    message TEXT NOT NULL,
    key     TEXT NOT NULL,                                -- of the wish: a repeated one is the same
    set_at  INTEGER NOT NULL,
    due_at  INTEGER NOT NULL,
    UNIQUE (agent, key)
  ) STRICT;
  CREATE INDEX reminders_due ON reminders (due_at);

  -- The entries of deployed configurations.
  CREATE TABLE schedules (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,            -- never used again: keys of messages are made of it
    agent   TEXT NOT NULL REFERENCES agents ON DELETE CASCADE,
    cron    TEXT NOT NULL,
    message TEXT NOT NULL,
    next_at INTEGER NOT NULL,                             -- when it is due next, or has been since
    last_at INTEGER,                                      -- when it was due that was told last
    UNIQUE (agent, cron, message)
  ) STRICT;
  CREATE INDEX schedules_due ON schedules (next_at);

  -- Every turn that ended, with the figures that its engine gave: the agent's claim.
  CREATE TABLE turns (
    id                 INTEGER PRIMARY KEY,
    agent              TEXT NOT NULL,
    epoch              INTEGER NOT NULL,
    message            INTEGER NOT NULL,                  -- that woke it
    attempt            INTEGER NOT NULL,
    at                 INTEGER NOT NULL,
    day                TEXT NOT NULL,                     -- 2026-11-26, of the host's time zone
    model              TEXT NOT NULL,
    reason             TEXT NOT NULL,
    input_tokens       INTEGER NOT NULL,
    output_tokens      INTEGER NOT NULL,
    cache_read_tokens  INTEGER NOT NULL,
    cache_write_tokens INTEGER NOT NULL,
    dollars            REAL NOT NULL,
    duration_ms        INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX turns_agent ON turns (agent, id);
  CREATE INDEX turns_at ON turns (at);

  -- Their sums, kept for ever.
  CREATE TABLE usage (
    day                TEXT NOT NULL,
    agent              TEXT NOT NULL,
    model              TEXT NOT NULL,
    turns              INTEGER NOT NULL,
    input_tokens       INTEGER NOT NULL,
    output_tokens      INTEGER NOT NULL,
    cache_read_tokens  INTEGER NOT NULL,
    cache_write_tokens INTEGER NOT NULL,
    dollars            REAL NOT NULL,
    duration_ms        INTEGER NOT NULL,
    PRIMARY KEY (day, agent, model)
  ) STRICT, WITHOUT ROWID;

  -- How many turns have ended for which reason, also those whose rows are gone.
  CREATE TABLE turn_counts (
    agent  TEXT NOT NULL,
    reason TEXT NOT NULL,
    n      INTEGER NOT NULL,
    PRIMARY KEY (agent, reason)
  ) STRICT, WITHOUT ROWID;

  -- What the operator or the daemon noted of an agent's day.
  CREATE TABLE days (
    day        TEXT NOT NULL,
    agent      TEXT NOT NULL,
    requests   INTEGER NOT NULL DEFAULT 0,                -- to the model, as the gateway saw them
    unexplained INTEGER NOT NULL DEFAULT 0,               -- of these: while no turn was in progress
    overridden INTEGER NOT NULL DEFAULT 0,                -- the budget does not hold for the rest of the day
    PRIMARY KEY (day, agent)
  ) STRICT, WITHOUT ROWID;

  -- What each sink was told of and waits still, so that nothing is told twice.
  CREATE TABLE notified (
    sink TEXT NOT NULL,
    key  TEXT NOT NULL,
    at   INTEGER NOT NULL,
    PRIMARY KEY (sink, key)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  ALTER TABLE turns ADD COLUMN context_tokens INTEGER NOT NULL DEFAULT 0; -- after it; 0: nobody knows
  `,
]

const EVENT_MIGRATIONS = [
  `
  CREATE TABLE events (
    seq   INTEGER PRIMARY KEY AUTOINCREMENT,
    agent TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    n     INTEGER NOT NULL,
    at    INTEGER NOT NULL,
    event TEXT NOT NULL,
    UNIQUE (agent, epoch, n)
  ) STRICT;
  CREATE INDEX events_agent ON events (agent, seq);
  `,
  `
  -- When the daemon stored it, for the lines of the engine's stream: they go after a while. Null: it is kept.
  ALTER TABLE events ADD COLUMN stored_at INTEGER;
  UPDATE events SET stored_at = at
    WHERE CASE WHEN json_valid(event) THEN json_extract(event, '$.kind') = 'stream' END;
  CREATE INDEX events_stored ON events (stored_at) WHERE stored_at IS NOT NULL;
  `,
]

/** Messages, agents, settings: what must not be lost. */
export const openHiveDatabase = (path: string): Database =>
  openDatabase({
    path,
    migrations: HIVE_MIGRATIONS,
    synchronous: 'FULL',
    ballast: path === ':memory:' ? undefined : createBallast(`${path}.ballast`, BALLAST_BYTES),
  })

/** Enough for thousands of leases and acks. */
const BALLAST_BYTES = 4 * 1024 * 1024

/** Live events: numerous, and no promise hangs on the last ones. */
export const openEventDatabase = (path: string): Database =>
  openDatabase({ path, migrations: EVENT_MIGRATIONS, synchronous: 'NORMAL' })
