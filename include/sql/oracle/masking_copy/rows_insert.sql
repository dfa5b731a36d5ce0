-- purpose: put masked rows of one part into its piece, where a type is refused by direct path
-- kind: change
-- engine: oracle 12.1-23
-- privileges: none beyond CREATE SESSION
-- locks: row exclusive on the table
-- licence: none
-- binds: table (quoted), columns (quoted), values (numbered binds)
-- columns: none
-- source: SQL Language Reference 19c, INSERT; python-oracledb User Guide, Batch Statement Execution
INSERT INTO {table} ({columns}) VALUES ({values})
