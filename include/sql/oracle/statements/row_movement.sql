-- purpose: allow or forbid that rows of a table change their ROWID
-- kind: change
-- engine: oracle 11.2-23
-- privileges: ALTER ANY TABLE, or owner of the table
-- locks: exclusive, for a moment
-- licence: none
-- binds: table (identifier: owner and table), state (keyword: ENABLE, DISABLE)
-- columns: none
-- source: SQL Language Reference 19c, ALTER TABLE, row_movement_clause
ALTER TABLE {table} {state} ROW MOVEMENT
