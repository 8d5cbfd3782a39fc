-- Who changed what. Rows are written once: each holds the hash of the one
-- before, and audit_head the number and the hash of the last one.

-- +goose Up
CREATE TABLE audit (
    n      bigint PRIMARY KEY,
    at     bigint NOT NULL,
    actor  text   NOT NULL,
    action text   NOT NULL,
    key_id text   NOT NULL, -- empty where no key was changed
    key    text   NOT NULL,
    login  text   NOT NULL,
    fields text   NOT NULL, -- JSON, to the letter: the hash is over it
    prev   bytea  NOT NULL,
    hash   bytea  NOT NULL
);

CREATE TABLE audit_head (
    one  integer PRIMARY KEY CHECK (one = 1),
    n    bigint  NOT NULL,
    hash bytea   NOT NULL
);
INSERT INTO audit_head (one, n, hash) VALUES (1, 0, decode(repeat('00', 32), 'hex'));

-- +goose StatementBegin
CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit is append-only';
END $$;
-- +goose StatementEnd
CREATE TRIGGER audit_change BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_is_append_only();
CREATE TRIGGER audit_truncate BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
CREATE TRIGGER audit_head_update BEFORE UPDATE ON audit_head
    FOR EACH ROW WHEN (NEW.n <= OLD.n) EXECUTE FUNCTION audit_is_append_only();
CREATE TRIGGER audit_head_delete BEFORE DELETE ON audit_head
    FOR EACH ROW EXECUTE FUNCTION audit_is_append_only();
CREATE TRIGGER audit_head_truncate BEFORE TRUNCATE ON audit_head
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();

-- +goose Down
DROP TABLE audit_head;
DROP TABLE audit;
DROP FUNCTION audit_is_append_only;
