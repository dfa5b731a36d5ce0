-- purpose: make an empty table of a copy, without keys and checks
-- kind: change
-- engine: oracle 12.1-23
-- privileges: CREATE TABLE
-- locks: none
-- licence: none
-- binds: table (quoted), columns (quoted names with types, defaults, NOT NULL)
-- columns: none
-- source: SQL Language Reference 19c, CREATE TABLE
CREATE TABLE {table} ({columns})
