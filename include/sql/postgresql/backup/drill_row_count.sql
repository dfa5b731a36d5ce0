-- purpose: count the rows of one declared table of the restored copy
-- kind: read
-- engine: postgresql 14-19
-- privileges: SELECT on the table
-- locks: AccessShareLock on the table
-- licence: none
-- binds: table (identifier: schema and table)
-- columns: rows (count)
-- source: PostgreSQL manual, Aggregate Functions
SELECT count(*) AS rows FROM {table}
