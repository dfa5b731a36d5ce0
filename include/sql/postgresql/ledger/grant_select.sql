-- purpose: let a role read one table of the ledger
-- kind: change
-- engine: postgresql 14-19
-- privileges: owner of the table
-- locks: none
-- licence: none
-- binds: table (identifier: schema and table), role (identifier: who is granted)
-- columns: none
-- source: PostgreSQL manual, Privileges
GRANT SELECT ON TABLE {table} TO {role}
