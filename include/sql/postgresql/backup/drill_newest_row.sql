-- purpose: find the newest value, not after a given time, of the time column of one declared table of the restored copy
-- kind: read
-- engine: postgresql 14-19
-- privileges: SELECT on the table
-- locks: AccessShareLock on the table
-- licence: none
-- binds: table (identifier: schema and table), column (identifier: time column), latest (time: later rows do not count; a local column is in the session's zone)
-- columns: newest (timestamp or date of the newest such row; null: no row)
-- source: PostgreSQL manual, Aggregate Functions
SELECT max({column}) AS newest FROM {table} WHERE {column}::timestamptz <= %(latest)s
