-- purpose: find the newest value of the time column of one declared table of the restored copy
-- kind: read
-- engine: postgresql 14-19
-- privileges: SELECT on the table
-- locks: AccessShareLock on the table
-- licence: none
-- binds: table (identifier: schema and table), column (identifier: time column)
-- columns: newest (timestamp or date of the newest row; null: no row)
-- source: PostgreSQL manual, Aggregate Functions
SELECT max({column}) AS newest FROM {table}
