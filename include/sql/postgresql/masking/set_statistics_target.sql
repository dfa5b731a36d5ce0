-- purpose: set the target of extended statistics
-- kind: change
-- engine: postgresql 14-19
-- privileges: ownership of what is made
-- locks: none on anything that others use
-- licence: none
-- binds: statistics (identifier: schema and name), target (statistics target)
-- columns: none
-- source: PostgreSQL manual, ALTER STATISTICS
ALTER STATISTICS {statistics} SET STATISTICS {target}
