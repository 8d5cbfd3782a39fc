-- +goose Up
-- What a next version might add: a column, and a table.
ALTER TABLE keys ADD COLUMN rolling text NOT NULL DEFAULT 'x';
CREATE TABLE rolling (id bigint PRIMARY KEY, key text);
