-- purpose: write a table anew in a segment without holes
-- kind: change
-- engine: oracle 11.2-23
-- privileges: ALTER ANY TABLE, or owner of the table
-- locks: exclusive to the end; with ONLINE (12.2, EE) for a moment at both ends
-- licence: none
-- binds: table (identifier: owner and table), options (keywords of the builder)
-- columns: none
-- source: SQL Language Reference 19c, ALTER TABLE, move_table_clause
ALTER TABLE {table} MOVE {options}
