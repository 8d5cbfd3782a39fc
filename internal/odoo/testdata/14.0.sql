-- Odoo 14.0 with groups, the company's option, and server_environment, which has taken the column key away.
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
    user_id             integer NOT NULL REFERENCES res_users,
    active              boolean DEFAULT true,
    server_env_defaults text
);
CREATE TABLE auth_api_key_group (id serial PRIMARY KEY, name varchar NOT NULL, code varchar NOT NULL UNIQUE);
CREATE TABLE auth_api_key_group_rel (
    key_id   integer NOT NULL REFERENCES auth_api_key ON DELETE CASCADE,
    group_id integer NOT NULL REFERENCES auth_api_key_group ON DELETE CASCADE,
    PRIMARY KEY (key_id, group_id)
);
INSERT INTO res_company (name, archived_user_disable_auth_api_key) VALUES ('Strict', true), ('Lax', NULL);
INSERT INTO res_users (login, company_id, active) VALUES ('admin', 1, true), ('strict@example.com', 1, false), ('lax@example.com', 2, false);
INSERT INTO auth_api_key (name, user_id, active, server_env_defaults) VALUES
    ('Partner sync', 1, true, '{"key_env_default": "fourteen-Zq8vR2kLm5"}'),
    ('Archived', 1, false, '{"key_env_default": "fourteen-Hd7nB4sYp9"}'),
    ('Of one who left the strict', 2, NULL, '{"key_env_default": "fourteen-Jk3fG6wQz1"}'),
    ('Of one who left the lax', 3, true, '{"key_env_default": "fourteen-Mx2cT8uAo6"}'),
    ('Never written', 1, true, NULL),
    ('False', 1, true, '{"key_env_default": false}'),
    ('Empty', 1, true, '{"key_env_default": ""}'),
    ('From the environment', 1, true, '{"key_env_default": "<set from server environment>"}'),
    ('Damaged', 1, true, '{"key_env_default":');
INSERT INTO auth_api_key_group (name, code) VALUES ('Partners', 'partner'), ('Gold partners', 'gold'), ('No code', '');
INSERT INTO auth_api_key_group_rel VALUES (1, 1), (1, 2), (2, 3);
