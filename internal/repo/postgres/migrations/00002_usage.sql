-- What keys were used for. Nothing of it is part of a decision, so none of it is
-- in the change log, nor under the lock of its writers; and it refers to keys by
-- their id alone: whoever removes a key waits for nobody who counts.

-- +goose Up
CREATE TABLE usage (
    key_id      text COLLATE "C" NOT NULL, -- of a record, or of a standalone override section
    hour        bigint NOT NULL, -- its beginning
    allowed     bigint NOT NULL,
    limited     bigint NOT NULL,
    invalid     bigint NOT NULL, -- 401
    forbidden   bigint NOT NULL, -- 403
    unavailable bigint NOT NULL, -- 503
    PRIMARY KEY (key_id, hour)
);
CREATE INDEX usage_hour ON usage (hour);

CREATE TABLE usage_secrets (
    digest      bytea PRIMARY KEY,
    key_id      text COLLATE "C" NOT NULL,
    first_used  bigint NOT NULL,
    last_used   bigint NOT NULL,
    last_denied bigint NOT NULL,
    client      text   NOT NULL -- a network; empty where it is not known
);
CREATE INDEX usage_secrets_key ON usage_secrets (key_id);

-- The last batch of each process that counts, so that none is counted twice.
CREATE TABLE usage_batches (
    writer text COLLATE "C" PRIMARY KEY,
    number bigint NOT NULL,
    at     bigint NOT NULL
);

-- +goose Down
DROP TABLE usage_batches;
DROP TABLE usage_secrets;
DROP TABLE usage;
