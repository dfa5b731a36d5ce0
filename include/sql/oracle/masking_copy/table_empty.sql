-- purpose: take all rows out of a table of a copy
-- kind: change
-- engine: oracle 12.1-23
-- privileges: none beyond CREATE SESSION
-- locks: exclusive on the table
-- licence: none
-- binds: table (quoted)
-- columns: none
-- source: SQL Language Reference 19c, TRUNCATE TABLE
TRUNCATE TABLE {table}
