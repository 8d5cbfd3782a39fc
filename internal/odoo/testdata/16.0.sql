-- Odoo 16.0: sections by tech name, and a column key that server_environment has left behind.
CREATE TABLE res_company (id serial PRIMARY KEY, name varchar NOT NULL, archived_user_disable_auth_api_key boolean);
CREATE TABLE res_users (
    id         serial PRIMARY KEY,
    active     boolean DEFAULT true,
    login      varchar NOT NULL UNIQUE,
    company_id integer NOT NULL REFERENCES res_company
);
CREATE TABLE auth_api_key (
    id                  serial PRIMARY KEY,
    name                varchar NOT NULL UNIQUE,
    key                 varchar,
    user_id             integer NOT NULL REFERENCES res_users,
    active              boolean DEFAULT true,
    tech_name           varchar UNIQUE,
    server_env_defaults text
);
CREATE TABLE auth_api_key_group (id serial PRIMARY KEY, name varchar NOT NULL, code varchar NOT NULL UNIQUE);
CREATE TABLE auth_api_key_group_rel (
    key_id   integer NOT NULL REFERENCES auth_api_key ON DELETE CASCADE,
    group_id integer NOT NULL REFERENCES auth_api_key_group ON DELETE CASCADE,
    PRIMARY KEY (key_id, group_id)
);
INSERT INTO res_company (name) VALUES ('My Company');
INSERT INTO res_users (login, company_id, active) VALUES ('admin', 1, true);
INSERT INTO auth_api_key (name, tech_name, key, user_id, server_env_defaults) VALUES
    ('Partner sync', 'partner_sync', 'sixteen-the-stale-one', 1, '{"key_env_default": "sixteen-Zq8vR2kLm5xW"}'),
    ('Stale', 'stale', 'sixteen-stale-Hd7nB4', 1, NULL),
    ('Stale beside others', 'stale_beside_others', 'sixteen-stale-Jk3fG6', 1, '{"other": "x"}'),
    ('Партнёр', 'partnior', NULL, 1, '{"key_env_default": "sixteen-Mx2cT8uAo6rN"}'),
    ('Neutralized', 'neutralized', NULL, 1, '{"key_env_default": "neutralized"}');
INSERT INTO auth_api_key_group (name, code) VALUES ('Partners', 'partner');
INSERT INTO auth_api_key_group_rel VALUES (1, 1);
