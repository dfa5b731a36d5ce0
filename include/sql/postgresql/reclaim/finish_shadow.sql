-- purpose: give the copy its grants, comments and statistics, and analyse it
-- kind: change
-- engine: postgresql 15-19
-- privileges: owner of the table or member of its owner; CREATE on the database
-- locks: ACCESS SHARE on the table
-- licence: none
-- binds: table (oid of the table)
-- columns: none
-- source: PostgreSQL manual, GRANT; ANALYZE
SELECT drydock_reclaim.finish_shadow(%(table)s::oid)
