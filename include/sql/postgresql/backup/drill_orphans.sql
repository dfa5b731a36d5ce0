-- purpose: count the rows of a table whose foreign key points at no row
-- kind: read
-- engine: postgresql 14-19
-- privileges: SELECT on both tables
-- locks: AccessShareLock on both tables
-- licence: none
-- binds: child (identifier: schema and table), parent (identifier: schema and table), present (condition: all child columns are set), match (condition: parent columns equal child columns by the key's own operators)
-- columns: orphans (count)
-- source: PostgreSQL manual, Constraints: Foreign Keys (MATCH SIMPLE)
SELECT count(*) AS orphans
FROM {child} AS c
WHERE {present}
  AND NOT EXISTS (SELECT 1 FROM {parent} AS p WHERE {match})
