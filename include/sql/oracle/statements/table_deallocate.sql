-- purpose: give back what lies above the high-water mark of a table
-- kind: change
-- engine: oracle 11.2-23
-- privileges: ALTER ANY TABLE, or owner of the table
-- locks: exclusive, for a moment
-- licence: none
-- binds: table (identifier: owner and table)
-- columns: none
-- source: SQL Language Reference 19c, ALTER TABLE, deallocate_unused_clause
ALTER TABLE {table} DEALLOCATE UNUSED
