-- purpose: let an identity column of a copy go on after its greatest value, as the source's was defined
-- kind: change
-- engine: oracle 12.1-23
-- privileges: none beyond CREATE SESSION
-- locks: exclusive on the table
-- licence: none
-- binds: table (quoted), column (quoted), generation (ALWAYS, BY DEFAULT), steps (INCREMENT BY, MINVALUE, MAXVALUE, CYCLE, CACHE with whole numbers, or nothing)
-- columns: none
-- source: SQL Language Reference 19c, ALTER TABLE, modify_col_properties, identity_options (START WITH LIMIT VALUE)
ALTER TABLE {table} MODIFY ({column} GENERATED {generation} AS IDENTITY (START WITH LIMIT VALUE {steps}))
