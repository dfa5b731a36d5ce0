-- purpose: figures of one table, each an aggregate over many rows
-- kind: read
-- engine: postgresql 14-19
-- privileges: SELECT on the columns
-- locks: ACCESS SHARE while it runs
-- licence: none
-- binds: figures (aggregates, each with a name), relation (identifier: schema and table), condition (on the alias t)
-- columns: figure (each of those asked for, by its name)
-- source: PostgreSQL manual, Aggregate Functions
SELECT {figures} FROM {relation} AS t WHERE {condition}
