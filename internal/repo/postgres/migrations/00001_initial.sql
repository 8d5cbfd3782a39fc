-- Times are Unix milliseconds, 0 where there is none. Lists and maps are JSON
-- as text, which keeps what jsonb would not: the NUL character. Names are
-- compared byte by byte, whatever the locale of the database.

-- +goose Up
CREATE TABLE users (
    login       text COLLATE "C" PRIMARY KEY,
    active      boolean NOT NULL,
    created_at  bigint  NOT NULL,
    changed_seq bigint  NOT NULL -- the last change of the user in the log, 0 where there is none
);

CREATE TABLE keys (
    n            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- for joins within this database only
    id           text COLLATE "C" NOT NULL UNIQUE,
    name         text COLLATE "C" NOT NULL UNIQUE,
    slug         text COLLATE "C" NOT NULL UNIQUE,
    login        text COLLATE "C" NOT NULL REFERENCES users (login),
    active       boolean NOT NULL,
    revoked_at   bigint  NOT NULL,
    not_before   bigint  NOT NULL,
    expires_at   bigint  NOT NULL,
    groups       text    NOT NULL,
    scopes       text    NOT NULL,
    restrictions text    NOT NULL,
    limits       text    NOT NULL,
    metadata     text    NOT NULL,
    note         text    NOT NULL,
    created_at   bigint  NOT NULL,
    updated_at   bigint  NOT NULL,
    changed_seq  bigint  NOT NULL, -- the last change of the record in the log
    revoked_seq  bigint  NOT NULL  -- the change that revoked it, 0 where none has
);
CREATE INDEX keys_login ON keys (login);

CREATE TABLE secrets (
    digest     bytea   PRIMARY KEY,
    key        bigint  NOT NULL REFERENCES keys (n),
    place      integer NOT NULL, -- among the secrets of its key, oldest first
    hint       text    NOT NULL,
    pepper     text    NOT NULL,
    created_at bigint  NOT NULL,
    expires_at bigint  NOT NULL,
    revoked    boolean NOT NULL,
    UNIQUE (key, place)
);

-- A number is never given out twice. It is drawn under the lock of all
-- writers: the order of the numbers is the order of the commits.
CREATE TABLE changes (
    seq     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      bigint NOT NULL,
    key_id  text   NOT NULL, -- empty where it touches a user, or many keys
    digests bytea  NOT NULL, -- 32 bytes each
    names   text   NOT NULL,
    token   bytea  NOT NULL  -- of the transaction, by which its outcome is looked up
);

CREATE TABLE replicas (
    id         text   COLLATE "C" PRIMARY KEY,
    name       text   COLLATE "C" NOT NULL,
    version    text   NOT NULL,
    lease      bigint NOT NULL, -- nanoseconds
    outage     text   NOT NULL,
    max_stale  bigint NOT NULL, -- nanoseconds
    applied    bigint NOT NULL,
    started_at bigint NOT NULL,
    seen_at    bigint NOT NULL
);

-- +goose Down
DROP TABLE replicas;
DROP TABLE changes;
DROP TABLE secrets;
DROP TABLE keys;
DROP TABLE users;
