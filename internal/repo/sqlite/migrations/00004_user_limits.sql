-- What all keys of a user share. An older program, which knows nothing of it,
-- goes on with the default, and counts no user.

-- +goose Up
ALTER TABLE users ADD COLUMN limits TEXT NOT NULL DEFAULT '{}';

-- +goose Down
ALTER TABLE users DROP COLUMN limits;
