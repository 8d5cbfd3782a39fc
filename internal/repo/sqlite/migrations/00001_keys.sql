-- Times are Unix milliseconds, 0 where there is none. Lists and maps are JSON.

-- +goose Up
CREATE TABLE users (
    login       TEXT    NOT NULL PRIMARY KEY,
    active      INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    changed_seq INTEGER NOT NULL -- the last change of the user in the log, 0 where there is none
) WITHOUT ROWID;

CREATE TABLE keys (
    n            INTEGER PRIMARY KEY, -- for joins within this database only
    id           TEXT    NOT NULL UNIQUE,
    name         TEXT    NOT NULL UNIQUE,
    slug         TEXT    NOT NULL UNIQUE,
    login        TEXT    NOT NULL REFERENCES users (login),
    active       INTEGER NOT NULL,
    revoked_at   INTEGER NOT NULL,
    not_before   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    groups       TEXT    NOT NULL,
    scopes       TEXT    NOT NULL,
    restrictions TEXT    NOT NULL,
    limits       TEXT    NOT NULL,
    metadata     TEXT    NOT NULL,
    note         TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    changed_seq  INTEGER NOT NULL, -- the last change of the record in the log
    revoked_seq  INTEGER NOT NULL  -- the change that revoked it, 0 where none has
);
CREATE INDEX keys_login ON keys (login);

CREATE TABLE secrets (
    digest     BLOB    NOT NULL PRIMARY KEY,
    key        INTEGER NOT NULL REFERENCES keys (n),
    place      INTEGER NOT NULL, -- among the secrets of its key, oldest first
    hint       TEXT    NOT NULL,
    pepper     TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    revoked    INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX secrets_key ON secrets (key, place);

-- AUTOINCREMENT: a number is never given out twice. One writer at a time: the
-- order of the numbers is the order of the commits.
CREATE TABLE changes (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL,
    key_id  TEXT    NOT NULL, -- empty where it touches a user, or many keys
    digests BLOB    NOT NULL, -- 32 bytes each
    names   TEXT    NOT NULL
);

CREATE TABLE replicas (
    id         TEXT    NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL,
    version    TEXT    NOT NULL,
    lease      INTEGER NOT NULL, -- nanoseconds
    outage     TEXT    NOT NULL,
    max_stale  INTEGER NOT NULL, -- nanoseconds
    applied    INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL
) WITHOUT ROWID;

-- +goose Down
DROP TABLE replicas;
DROP TABLE changes;
DROP TABLE secrets;
DROP TABLE keys;
DROP TABLE users;
