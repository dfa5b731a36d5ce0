-- purpose: gather statistics of a table of the copy anew; those of the source hold values and are never copied
-- kind: change
-- engine: postgresql 14-19
-- privileges: ownership of what is made
-- locks: SHARE UPDATE EXCLUSIVE on a table that nobody else can see
-- licence: none
-- binds: table (identifier: the table)
-- columns: none
-- source: PostgreSQL manual, ANALYZE
ANALYZE {table}
