-- purpose: take all rights on one table of the ledger from a role, before those it may have are granted
-- kind: change
-- engine: postgresql 14-19
-- privileges: owner of the table
-- locks: none
-- licence: none
-- binds: table (identifier: schema and table), role (identifier: who loses the rights)
-- columns: none
-- source: PostgreSQL manual, REVOKE
REVOKE ALL ON TABLE {table} FROM {role}
