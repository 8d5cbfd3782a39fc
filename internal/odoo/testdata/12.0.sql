-- Odoo 12.0 with auth_api_key alone: no archiving, no groups, no server_environment.
CREATE TABLE res_company (id serial PRIMARY KEY, name varchar NOT NULL);
CREATE TABLE res_users (
    id         serial PRIMARY KEY,
    active     boolean DEFAULT true,
    login      varchar NOT NULL UNIQUE,
    company_id integer NOT NULL REFERENCES res_company
);
CREATE TABLE auth_api_key (
    id         serial PRIMARY KEY,
    name       varchar NOT NULL UNIQUE,
    key        varchar NOT NULL,
    user_id    integer NOT NULL REFERENCES res_users,
    create_uid integer, create_date timestamp, write_uid integer, write_date timestamp
);
INSERT INTO res_company (name) VALUES ('My Company');
INSERT INTO res_users (login, company_id, active) VALUES ('admin', 1, true), ('erp@example.com', 1, true), ('gone@example.com', 1, false);
INSERT INTO auth_api_key (name, key, user_id) VALUES
    ('Partner sync', 'twelve-Zq8vR2kLm5xW', 2),
    ('Clé été', 'twelve-Hd7nB4sYp9tC', 1),
    ('Of one who left', 'twelve-Jk3fG6wQz1eV', 3),
    ('The same value', 'twelve-Zq8vR2kLm5xW', 1),
    ('Weak', 'password123', 1),
    ('Tiny', '1234', 1),
    ('Non-ASCII', 'clé-très-secrète-été', 1),
    ('Blank', 'a key with blanks in it', 1),
    ('Dummy', 'dummy', 1),
    ('clé  été', 'twelve-Mx2cT8uAo6rN', 1);
