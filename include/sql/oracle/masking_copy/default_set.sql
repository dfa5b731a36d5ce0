-- purpose: let a column of a copy draw from a sequence of the copy, once that is past all rows
-- kind: change
-- engine: oracle 12.1-23
-- privileges: none beyond CREATE SESSION
-- locks: exclusive on the table
-- licence: none
-- binds: table (quoted), column (quoted), default (quoted sequence with NEXTVAL)
-- columns: none
-- source: SQL Language Reference 19c, ALTER TABLE, modify_col_properties; CREATE TABLE, DEFAULT (sequences from 12.1 on)
ALTER TABLE {table} MODIFY ({column} DEFAULT {default})
