-- purpose: let a role see into the ledger's schema
-- kind: change
-- engine: postgresql 14-19
-- privileges: owner of the schema
-- locks: none
-- licence: none
-- binds: role (identifier: who is granted)
-- columns: none
-- source: PostgreSQL manual, Privileges
GRANT USAGE ON SCHEMA drydock TO {role}
