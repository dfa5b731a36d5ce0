-- purpose: make a table, partitioned table or partition of the copy, without keys, indexes and checks
-- kind: change
-- engine: postgresql 14-19
-- privileges: ownership of what is made
-- locks: none on anything that others use
-- licence: none
-- binds: unlogged (UNLOGGED or nothing), table (identifier: the table), columns (their definitions), rest (partition key and access method; or nothing)
-- columns: none
-- source: PostgreSQL manual, CREATE TABLE
CREATE {unlogged} TABLE IF NOT EXISTS {table} ({columns}) {rest}
