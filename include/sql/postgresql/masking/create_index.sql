-- purpose: build an index of the copy
-- kind: change
-- engine: postgresql 14-19
-- privileges: ownership of what is made
-- locks: SHARE on a table that nobody else can see
-- licence: none
-- binds: unique (UNIQUE or nothing), index (identifier: the index, without its schema), only (ONLY for a partitioned table, or nothing), table (identifier: the table), body (definition from USING on)
-- columns: none
-- source: PostgreSQL manual, CREATE INDEX
CREATE {unique} INDEX IF NOT EXISTS {index} ON {only} {table} {body}
