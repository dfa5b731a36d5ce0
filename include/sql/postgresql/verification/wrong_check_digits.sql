-- purpose: say whether a column has more wrong check digits than it may
-- kind: read
-- engine: postgresql 14-19
-- privileges: SELECT on the columns
-- locks: ACCESS SHARE while it runs
-- licence: none
-- binds: check (question of a check file on the column), relation (identifier: schema and table), column (identifier), most (literal: how many may be wrong)
-- columns: found (wrong ones; no row where they are not too many)
-- source: PostgreSQL manual, Aggregate Expressions: FILTER
SELECT a.found
FROM (SELECT count(*) FILTER (WHERE NOT ({check})) AS found FROM {relation} AS t WHERE t.{column} IS NOT NULL) AS a
WHERE a.found > {most}
