-- purpose: drop a table of an earlier copy; its grants go with it
-- kind: change
-- engine: oracle 12.1-23
-- privileges: none beyond CREATE SESSION
-- locks: exclusive on the table
-- licence: none
-- binds: table (quoted)
-- columns: none
-- source: SQL Language Reference 19c, DROP TABLE
DROP TABLE {table} CASCADE CONSTRAINTS PURGE
