"""The tables of the quarantine file.

reject   one row per (position, item, reason): the log reference and the words; `payload` is NULL once forgotten
tally    one row per (reason, topic, outcome): counts, first and last log position. Never pruned
pending  one row per name that awaits approval, as many as the limit allows
total    one row: what the quotas look at, kept with every change so that nothing is ever scanned
sequence one row per meter: its newest `seq` and how many never came; `followed` is the log position
         up to which they are counted
retried  one row per reject that a retry let in, all of it or some: `at` is the log position of the command
"""

VERSION = 1

CREATE = """
CREATE TABLE reject (
    id INTEGER PRIMARY KEY,
    position INTEGER NOT NULL, item INTEGER NOT NULL, reason TEXT NOT NULL,
    received INTEGER NOT NULL, topic TEXT NOT NULL, outcome TEXT NOT NULL,
    cause TEXT NOT NULL, place TEXT NOT NULL, mend TEXT NOT NULL,
    size INTEGER NOT NULL, payload BLOB, lost INTEGER NOT NULL, names TEXT NOT NULL,
    UNIQUE (position, item, reason)
);
CREATE TABLE tally (
    reason TEXT NOT NULL, topic TEXT NOT NULL, outcome TEXT NOT NULL,
    messages INTEGER NOT NULL, lost INTEGER NOT NULL,
    first_position INTEGER NOT NULL, last_position INTEGER NOT NULL, last_received INTEGER NOT NULL,
    PRIMARY KEY (reason, topic, outcome)
) WITHOUT ROWID;
CREATE TABLE pending (
    name TEXT PRIMARY KEY, messages INTEGER NOT NULL,
    first_received INTEGER NOT NULL, last_received INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE total (
    rows INTEGER NOT NULL, bytes INTEGER NOT NULL, payload_from INTEGER NOT NULL, payloads_gone INTEGER NOT NULL,
    rows_gone INTEGER NOT NULL, names_refused INTEGER NOT NULL
);
INSERT INTO total VALUES (0, 0, 0, 0, 0, 0);
"""

MORE = """
CREATE TABLE IF NOT EXISTS sequence (meter TEXT PRIMARY KEY, newest INTEGER NOT NULL, missing INTEGER NOT NULL)
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS followed (one INTEGER PRIMARY KEY CHECK (one = 1), position INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS retried (position INTEGER NOT NULL, item INTEGER NOT NULL, reason TEXT NOT NULL,
    at INTEGER NOT NULL, PRIMARY KEY (position, item, reason, at)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS reject_again ON reject (topic, size);
"""
"""Of the same version: whoever does not know these reads the others as ever."""

AGAIN = """
SELECT 1 FROM reject WHERE topic = ? AND size = ? AND item = ? AND reason = ? AND position < ? AND payload IS ?
"""

SEQUENCE = """
INSERT INTO sequence VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET
    newest = excluded.newest, missing = missing + excluded.missing
"""

ADD = """
INSERT INTO reject (position, item, reason, received, topic, outcome, cause, place, mend, size, payload, lost, names)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
"""

TALLY = """
INSERT INTO tally VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
    messages = messages + excluded.messages, lost = lost + excluded.lost,
    first_position = min(first_position, excluded.first_position),
    last_position = max(last_position, excluded.last_position),
    last_received = max(last_received, excluded.last_received)
"""

LESS = """
UPDATE tally SET messages = messages - ?, lost = lost - ? WHERE reason = ? AND topic IN (?, ?) AND outcome = ?
"""

PENDING = """
INSERT INTO pending VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET
    messages = messages + excluded.messages, first_received = min(first_received, excluded.first_received),
    last_received = max(last_received, excluded.last_received)
"""
