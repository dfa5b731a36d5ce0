-- purpose: put the copy in the place of the table
-- kind: change
-- engine: postgresql 15-19
-- privileges: owner of the table or member of its owner; CREATE on the database
-- locks: ACCESS EXCLUSIVE for a moment on the partitioned parent, the table and the tables that reference it; waits at most as long as the lock timeout
-- licence: none
-- binds: table (oid of the table)
-- columns: none
-- source: PostgreSQL manual, ALTER TABLE
SELECT drydock_reclaim.take_over(%(table)s::oid)
