-- Odoo 17.0: the fields of server_environment have another prefix; some values are encrypted.
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
CREATE TABLE encrypted_data (id serial PRIMARY KEY, name varchar NOT NULL, environment varchar, encrypted_data bytea);
INSERT INTO res_company (name) VALUES ('My Company');
INSERT INTO res_users (login, company_id, active) VALUES ('admin', 1, true);
INSERT INTO auth_api_key (name, tech_name, user_id, server_env_defaults) VALUES
    ('Partner sync', 'partner_sync', 1, '{"x_key_env_default": "seventeen-Zq8vR2kLm5", "key_env_default": "seventeen-of-16.0-Hd7n"}'),
    ('As in 16.0', 'as_in_16_0', 1, '{"key_env_default": "seventeen-Hd7nB4sYp9"}'),
    ('Encrypted', 'encrypted', 1, '{"x_key_env_default": "seventeen-Jk3fG6wQz1"}'),
    ('A token', 'a_token', 1, '{"x_key_env_default": "gAAAAABlY2hvIGEgZmVybmV0IHRva2VuIG9mIGEgdGVzdCB0aGF0IGlzIGxvbmcgZW5vdWdoIHRvIGJlIG9uZQABCDEFGHIJKLMNOP=="}');
INSERT INTO encrypted_data (name, environment, encrypted_data) VALUES ('auth.api.key,3', 'production', 'gAAAAAB'), ('fs.storage,1', 'production', 'gAAAAAB');
