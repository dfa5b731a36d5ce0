-- purpose: make an index of a copy
-- kind: change
-- engine: oracle 12.1-23
-- privileges: CREATE TABLE
-- locks: share on the table
-- licence: none
-- binds: unique (UNIQUE or nothing), index (quoted), table (quoted), columns (quoted)
-- columns: none
-- source: SQL Language Reference 19c, CREATE INDEX
CREATE {unique} INDEX {index} ON {table} ({columns})
