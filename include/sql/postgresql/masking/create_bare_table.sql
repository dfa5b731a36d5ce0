-- purpose: make a table without columns, as the source has it
-- kind: change
-- engine: postgresql 14-19
-- privileges: ownership of what is made
-- locks: none on anything that others use
-- licence: none
-- binds: unlogged (UNLOGGED or nothing), table (identifier: the table), rest (partition key and access method; or nothing)
-- columns: none
-- source: PostgreSQL manual, CREATE TABLE
CREATE {unlogged} TABLE IF NOT EXISTS {table} () {rest}
