-- purpose: how many rows a table of the copy has
-- kind: read
-- engine: postgresql 14-19
-- privileges: the account owns the table
-- locks: ACCESS SHARE on the table
-- licence: none
-- binds: table (of the copy)
-- columns: rows (bigint)
-- source: PostgreSQL manual, Aggregate Functions
SELECT count(*) AS rows FROM {table}
