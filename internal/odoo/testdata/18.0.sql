-- Odoo 18.0 without server_environment: the values are in the column key.
CREATE TABLE res_company (id serial PRIMARY KEY, name varchar NOT NULL, archived_user_disable_auth_api_key boolean);
CREATE TABLE res_users (
    id         serial PRIMARY KEY,
    active     boolean DEFAULT true,
    login      varchar NOT NULL UNIQUE,
    company_id integer NOT NULL REFERENCES res_company
);
CREATE TABLE auth_api_key (
    id        serial PRIMARY KEY,
    name      varchar NOT NULL UNIQUE,
    key       varchar,
    user_id   integer REFERENCES res_users ON DELETE SET NULL,
    active    boolean DEFAULT true,
    tech_name varchar UNIQUE
);
CREATE TABLE auth_api_key_group (id serial PRIMARY KEY, name varchar NOT NULL, code varchar NOT NULL UNIQUE);
CREATE TABLE auth_api_key_group_rel (
    key_id   integer NOT NULL REFERENCES auth_api_key ON DELETE CASCADE,
    group_id integer NOT NULL REFERENCES auth_api_key_group ON DELETE CASCADE,
    PRIMARY KEY (key_id, group_id)
);
INSERT INTO res_company (name, archived_user_disable_auth_api_key) VALUES ('My Company', false);
INSERT INTO res_users (login, company_id, active) VALUES ('admin', 1, true);
INSERT INTO auth_api_key (name, tech_name, key, user_id) VALUES
    ('Partner sync', 'partner_sync', 'eighteen-Zq8vR2kLm5x', 1),
    ('Nobody''s', 'nobody_s', 'eighteen-Hd7nB4sYp9t', NULL),
    ('Null', 'null', NULL, 1),
    ('Empty', 'empty', '', 1);
INSERT INTO auth_api_key_group (name, code) VALUES ('Partners', 'partner'), ('Nobody''s', 'nobody');
INSERT INTO auth_api_key_group_rel VALUES (1, 1);
