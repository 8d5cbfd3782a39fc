-- +goose Up

-- The history of the database, as authd has seen it: one row each time that a server went
-- on which need not have everything that was committed before. Numbers of changes begin
-- anew with each, above all that were given out before.
CREATE TABLE epochs (
    n         bigint PRIMARY KEY,
    place     text   NOT NULL, -- what the server calls this history; empty before it was first asked
    at        bigint NOT NULL, -- Unix milliseconds, when authd saw it
    lease     bigint NOT NULL, -- nanoseconds: the longest of the replicas that may have been lost
    outage    text   NOT NULL,
    max_stale bigint NOT NULL  -- nanoseconds
);
INSERT INTO epochs (n, place, at, lease, outage, max_stale) VALUES (0, '', 0, 0, '', 0);

-- +goose Down
DROP TABLE epochs;
