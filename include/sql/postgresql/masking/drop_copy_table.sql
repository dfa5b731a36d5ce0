-- purpose: destroy one table of a copy with its partitions and the foreign keys to it
-- kind: change
-- engine: postgresql 14-19
-- privileges: ownership of what is made
-- locks: ACCESS EXCLUSIVE on the table and on those that refer to it
-- licence: none
-- binds: table (identifier: the table)
-- columns: none
-- source: PostgreSQL manual, DROP TABLE
DROP TABLE IF EXISTS {table} CASCADE
