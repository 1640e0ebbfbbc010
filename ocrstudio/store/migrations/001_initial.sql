-- Version 1: documents, their pages, append-only label revisions, and runs.
-- Times are Unix seconds; sizes are points; every path is relative to the workspace, with forward slashes.

CREATE TABLE documents (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  -- Names end up in file names of a dataset, also on file systems that ignore case.
  name       TEXT NOT NULL UNIQUE COLLATE NOCASE,
  path       TEXT NOT NULL UNIQUE,
  kind       TEXT NOT NULL CHECK (kind IN ('pdf', 'image')),
  sha256     TEXT NOT NULL UNIQUE,
  page_count INTEGER NOT NULL CHECK (page_count >= 1),
  added      REAL NOT NULL,
  removed    REAL -- set when the user removed the document; its labels stay, and it can be restored
);

CREATE TABLE pages (
  id             INTEGER PRIMARY KEY AUTOINCREMENT,
  document_id    INTEGER NOT NULL REFERENCES documents (id),
  page_index     INTEGER NOT NULL CHECK (page_index >= 0),
  width          REAL NOT NULL CHECK (width > 0),
  height         REAL NOT NULL CHECK (height > 0),
  status         TEXT NOT NULL DEFAULT 'unlabelled'
    CHECK (status IN ('unlabelled', 'draft', 'in_review', 'accepted', 'flagged', 'failed', 'excluded')),
  revision_id    INTEGER,
  content_sha256 TEXT,
  note           TEXT NOT NULL DEFAULT '',
  UNIQUE (document_id, page_index),
  -- Both columns, so that a page can never point at the label of another page.
  FOREIGN KEY (revision_id, id) REFERENCES label_revisions (id, page_id)
);

CREATE INDEX pages_by_status ON pages (status, document_id, page_index);

CREATE INDEX pages_by_content ON pages (content_sha256) WHERE content_sha256 IS NOT NULL;

CREATE TABLE label_revisions (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  page_id    INTEGER NOT NULL REFERENCES pages (id),
  source     TEXT NOT NULL,
  created    REAL NOT NULL,
  snippet    TEXT NOT NULL, -- the beginning of the text, for lists
  task       TEXT NOT NULL,
  prompt     TEXT NOT NULL,
  parameters TEXT NOT NULL,
  regions    TEXT NOT NULL,
  text       TEXT NOT NULL,
  raw        TEXT NOT NULL,
  UNIQUE (id, page_id)
);

CREATE INDEX label_revisions_by_page ON label_revisions (page_id, id);

-- The page list reads this index alone and never touches the long texts.
CREATE INDEX label_revision_summaries ON label_revisions (id, source, snippet);

CREATE TRIGGER label_revisions_are_immutable BEFORE UPDATE ON label_revisions
BEGIN
  SELECT RAISE(ABORT, 'a label revision is never changed');
END;

-- REPLACE would delete the old row without firing the trigger on DELETE.
CREATE TRIGGER label_revisions_are_not_replaced BEFORE INSERT ON label_revisions
WHEN EXISTS (SELECT 1 FROM label_revisions WHERE id = new.id)
BEGIN
  SELECT RAISE(ABORT, 'a label revision is never replaced');
END;

CREATE TRIGGER label_revisions_are_kept BEFORE DELETE ON label_revisions
BEGIN
  SELECT RAISE(ABORT, 'a label revision is never deleted');
END;

CREATE TABLE runs (
  id      TEXT PRIMARY KEY,
  kind    TEXT NOT NULL CHECK (kind IN ('train', 'evaluate')),
  state   TEXT NOT NULL,
  title   TEXT NOT NULL,
  folder  TEXT NOT NULL UNIQUE,
  created REAL NOT NULL,
  summary TEXT NOT NULL
) WITHOUT ROWID;

CREATE INDEX runs_by_time ON runs (created);
