-- purpose: add a key, check or foreign key to a table of a copy; rows that are there are validated
-- kind: change
-- engine: oracle 12.1-23
-- privileges: none beyond CREATE SESSION
-- locks: exclusive on the table
-- licence: none
-- binds: table (quoted), name (quoted), definition (quoted names)
-- columns: none
-- source: SQL Language Reference 19c, constraint
ALTER TABLE {table} ADD CONSTRAINT {name} {definition}
