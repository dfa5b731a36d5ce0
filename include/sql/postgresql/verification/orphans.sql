-- purpose: say whether more rows than may be refer to a row that is not there
-- kind: read
-- engine: postgresql 14-19
-- privileges: SELECT on the columns
-- locks: ACCESS SHARE while it runs
-- licence: none
-- binds: child (identifier: schema and table), parent (identifier: schema and table), present (condition: the columns of c are not NULL), same (condition: the columns of c and p agree), most (literal: how many may be)
-- columns: found (rows without their parent; no row where they are not too many)
-- source: PostgreSQL manual, Subquery Expressions: EXISTS
SELECT a.found
FROM (
    SELECT count(*) AS found
    FROM {child} AS c
    WHERE {present} AND NOT EXISTS (SELECT 1 FROM {parent} AS p WHERE {same})
) AS a
WHERE a.found > {most}
