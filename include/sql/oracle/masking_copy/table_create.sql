-- purpose: make an empty table of a copy, without keys and checks
-- kind: change
-- engine: oracle 12.1-23
-- privileges: CREATE TABLE
-- locks: none
-- licence: none
-- binds: table (quoted), columns (quoted names with types, defaults, NOT NULL), division (PARTITION BY with quoted names and literals, or nothing)
-- columns: none
-- source: SQL Language Reference 19c, CREATE TABLE, table_partitioning_clauses
CREATE TABLE {table} ({columns}) {division}
