-- purpose: name the columns of a copied table whose figure is not that of the source
-- kind: read
-- engine: postgresql 14-19
-- privileges: SELECT on the columns
-- locks: ACCESS SHARE while it runs
-- licence: none
-- binds: names (one expression a column: NULL where its figure is right, else its name), relation (identifier: schema and table)
-- columns: found (names of columns; no row where all are right)
-- source: PostgreSQL manual, Aggregate Functions; Hash Functions (hashtextextended)
SELECT a.found FROM (SELECT concat_ws(', ', {names}) AS found FROM {relation} AS t) AS a WHERE a.found <> ''
