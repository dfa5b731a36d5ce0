-- purpose: say whether an aggregate of one table lies outside of its bounds
-- kind: read
-- engine: postgresql 14-19
-- privileges: SELECT on the columns
-- locks: ACCESS SHARE while it runs
-- licence: none
-- binds: figure (an aggregate), relation (identifier: schema and table), least (literal), most (literal)
-- columns: found (the aggregate; no row where it lies within)
-- source: PostgreSQL manual, Aggregate Functions
SELECT a.found FROM (SELECT {figure} AS found FROM {relation} AS t) AS a WHERE a.found NOT BETWEEN {least} AND {most}
