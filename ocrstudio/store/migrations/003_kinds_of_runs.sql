-- Version 3: a learning curve is a run, too. Which kinds there are is the program's business (domain.run.RunKind):
-- a list in the schema would want a migration for every new one.

CREATE TABLE runs_3 (
  id      TEXT PRIMARY KEY,
  kind    TEXT NOT NULL,
  state   TEXT NOT NULL,
  title   TEXT NOT NULL,
  folder  TEXT NOT NULL UNIQUE,
  created REAL NOT NULL,
  summary TEXT NOT NULL
) WITHOUT ROWID;

INSERT INTO runs_3 SELECT id, kind, state, title, folder, created, summary FROM runs;

DROP TABLE runs;

ALTER TABLE runs_3 RENAME TO runs;

CREATE INDEX runs_by_time ON runs (created);
