-- Version 2: substring search in labels. Three-character tokens work in scripts without spaces, too.
-- The index keeps no copy of the texts. Whoever appends a revision adds it here in the same transaction; a trigger
-- could not, because the schema of a stranger's workspace is not trusted (PRAGMA trusted_schema).

CREATE VIRTUAL TABLE label_search USING fts5 (
  text,
  content = 'label_revisions',
  content_rowid = 'id',
  tokenize = 'trigram'
);

INSERT INTO label_search (label_search) VALUES ('rebuild');
