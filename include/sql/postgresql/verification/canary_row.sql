-- purpose: read the values of a planted subject from the row that its key finds
-- kind: read
-- engine: postgresql 14-19
-- privileges: SELECT on the columns
-- locks: ACCESS SHARE for a moment
-- licence: none
-- binds: columns (identifiers, each cast to text), relation (identifier: schema and table), condition (columns of the key and their values)
-- columns: column (each of those asked for by its name, as text)
-- source: PostgreSQL manual, SELECT
SELECT {columns} FROM {relation} WHERE {condition} LIMIT 2
