-- What keys were used for. Nothing of it is part of a decision, so none of it is
-- in the change log, and it refers to keys by their id alone: whoever removes a
-- key waits for nobody who counts.

-- +goose Up
CREATE TABLE usage (
    key_id      TEXT    NOT NULL, -- of a record, or of a standalone override section
    hour        INTEGER NOT NULL, -- its beginning
    allowed     INTEGER NOT NULL,
    limited     INTEGER NOT NULL,
    invalid     INTEGER NOT NULL, -- 401
    forbidden   INTEGER NOT NULL, -- 403
    unavailable INTEGER NOT NULL, -- 503
    PRIMARY KEY (key_id, hour)
) WITHOUT ROWID;
CREATE INDEX usage_hour ON usage (hour);

CREATE TABLE usage_secrets (
    digest      BLOB    NOT NULL PRIMARY KEY,
    key_id      TEXT    NOT NULL,
    first_used  INTEGER NOT NULL,
    last_used   INTEGER NOT NULL,
    last_denied INTEGER NOT NULL,
    client      TEXT    NOT NULL -- a network; empty where it is not known
) WITHOUT ROWID;
CREATE INDEX usage_secrets_key ON usage_secrets (key_id);

-- The last batch of each process that counts, so that none is counted twice.
CREATE TABLE usage_batches (
    writer TEXT    NOT NULL PRIMARY KEY,
    number INTEGER NOT NULL,
    at     INTEGER NOT NULL
) WITHOUT ROWID;

-- +goose Down
DROP TABLE usage_batches;
DROP TABLE usage_secrets;
DROP TABLE usage;
