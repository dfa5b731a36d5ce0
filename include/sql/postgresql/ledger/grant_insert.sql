-- purpose: let the maintenance account add to one table of the ledger and read it, and nothing else: history is never changed
-- kind: change
-- engine: postgresql 14-19
-- privileges: owner of the table
-- locks: none
-- licence: none
-- binds: table (identifier: schema and table), role (identifier: who is granted)
-- columns: none
-- source: PostgreSQL manual, Privileges (identity columns need no right on their sequence)
GRANT SELECT, INSERT ON TABLE {table} TO {role}
