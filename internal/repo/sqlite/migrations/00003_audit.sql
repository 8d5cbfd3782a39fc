-- Who changed what. Rows are written once: each holds the hash of the one
-- before, and audit_head the number and the hash of the last one.

-- +goose Up
CREATE TABLE audit (
    n      INTEGER PRIMARY KEY,
    at     INTEGER NOT NULL,
    actor  TEXT    NOT NULL,
    action TEXT    NOT NULL,
    key_id TEXT    NOT NULL, -- empty where no key was changed
    key    TEXT    NOT NULL,
    login  TEXT    NOT NULL,
    fields TEXT    NOT NULL, -- JSON, to the letter: the hash is over it
    prev   BLOB    NOT NULL,
    hash   BLOB    NOT NULL
);

CREATE TABLE audit_head (
    one  INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    n    INTEGER NOT NULL,
    hash BLOB    NOT NULL
) WITHOUT ROWID;
INSERT INTO audit_head (one, n, hash) VALUES (1, 0, zeroblob(32));

-- +goose StatementBegin
CREATE TRIGGER audit_update BEFORE UPDATE ON audit
BEGIN SELECT raise(ABORT, 'the audit is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_delete BEFORE DELETE ON audit
BEGIN SELECT raise(ABORT, 'the audit is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_insert BEFORE INSERT ON audit
WHEN NEW.n <> 1 + max((SELECT n FROM audit_head), (SELECT coalesce(max(n), 0) FROM audit))
BEGIN SELECT raise(ABORT, 'the audit is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_head_update BEFORE UPDATE ON audit_head
WHEN NEW.n <= OLD.n OR NEW.hash IS NOT (SELECT hash FROM audit WHERE n = NEW.n)
BEGIN SELECT raise(ABORT, 'the audit is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_head_delete BEFORE DELETE ON audit_head
BEGIN SELECT raise(ABORT, 'the audit is append-only'); END;
-- +goose StatementEnd

-- +goose Down
DROP TABLE audit_head;
DROP TABLE audit;
