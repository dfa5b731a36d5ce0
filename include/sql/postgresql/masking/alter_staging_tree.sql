-- purpose: add checks or foreign keys to a table of the copy and to all its partitions
-- kind: change
-- engine: postgresql 14-19
-- privileges: ownership of what is made
-- locks: none on anything that others use
-- licence: none
-- binds: table (identifier: the table), changes (clauses)
-- columns: none
-- source: PostgreSQL manual, ALTER TABLE
ALTER TABLE {table} {changes}
