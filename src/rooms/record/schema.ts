// The tables of the local history. A step that was released is never edited: a change is a new step.
export const SCHEMA: readonly string[] = [
  `
  -- What was delivered, before anybody looked at it. taken = 0: still to be screened.
  CREATE TABLE intake (
    id INTEGER PRIMARY KEY, received_at INTEGER NOT NULL, source TEXT NOT NULL, fingerprint TEXT NOT NULL,
    alert TEXT NOT NULL, taken INTEGER NOT NULL DEFAULT 0, case_id TEXT
  );
  CREATE INDEX intake_new ON intake (id) WHERE taken = 0;
  CREATE INDEX intake_case ON intake (case_id) WHERE case_id IS NOT NULL;
  CREATE INDEX intake_old ON intake (received_at) WHERE taken = 1;

  -- One row a fingerprint: its latest episode, from first firing until resolved.
  CREATE TABLE episodes (
    fingerprint TEXT PRIMARY KEY, alert_name TEXT NOT NULL, owner TEXT, starts_at INTEGER NOT NULL, opened_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL, resolved_at INTEGER, deliveries INTEGER NOT NULL DEFAULT 1, case_id TEXT NOT NULL, alert TEXT NOT NULL
  );
  CREATE INDEX episodes_firing ON episodes (alert_name) WHERE resolved_at IS NULL;
  CREATE INDEX episodes_case ON episodes (case_id);
  -- Every beginning of an episode, for counts in a window.
  CREATE TABLE beginnings (alert_name TEXT NOT NULL, owner TEXT NOT NULL, at INTEGER NOT NULL);
  CREATE INDEX beginnings_by ON beginnings (alert_name, owner, at);

  -- The present state of each case; events are the record, this is read off them.
  CREATE TABLE cases (
    id TEXT PRIMARY KEY, opened_at INTEGER NOT NULL, closed_at INTEGER, state TEXT NOT NULL, page TEXT NOT NULL,
    alert_name TEXT NOT NULL, owner TEXT, action TEXT, rule TEXT, decided_by TEXT,
    outcome TEXT, reason TEXT, because TEXT, waiting_for TEXT, due_at INTEGER, held_since INTEGER,
    intent_at INTEGER, direction TEXT, plan_hash TEXT, told_at INTEGER
  );
  CREATE INDEX cases_open ON cases (id) WHERE closed_at IS NULL;
  CREATE INDEX cases_due ON cases (due_at) WHERE closed_at IS NULL AND due_at IS NOT NULL;
  CREATE INDEX cases_intents ON cases (intent_at) WHERE intent_at IS NOT NULL;
  CREATE INDEX cases_closed ON cases (closed_at) WHERE closed_at IS NOT NULL;

  -- Append only.
  CREATE TABLE events (id TEXT PRIMARY KEY, case_id TEXT NOT NULL, at INTEGER NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL);
  CREATE INDEX events_case ON events (case_id, id);

  -- What people ordered: taken up by the running sidecar, which passes it through the same gates.
  CREATE TABLE orders (id TEXT PRIMARY KEY, case_id TEXT NOT NULL, at INTEGER NOT NULL, kind TEXT NOT NULL, by TEXT NOT NULL, plan_hash TEXT, done_at INTEGER, answer TEXT);
  CREATE INDEX orders_new ON orders (id) WHERE done_at IS NULL;
  `,
]
