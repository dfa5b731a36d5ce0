-- purpose: drop the table that a copy has replaced; refused where anything hangs on it, so that nothing of others goes with it
-- kind: change
-- engine: postgresql 15-19
-- privileges: owner of the table or member of its owner
-- locks: ACCESS EXCLUSIVE on that table, which nobody uses any more
-- licence: none
-- binds: table (identifier: the table with its schema, which is ours)
-- columns: none
-- source: PostgreSQL manual, DROP TABLE (RESTRICT)
DROP TABLE {table} RESTRICT
