-- purpose: put the copy in the place of the table
-- kind: change
-- engine: postgresql 15-19
-- privileges: owner of the table or member of its owner; CREATE on the database; pg_read_all_stats
-- locks: SHARE UPDATE EXCLUSIVE on the table; then ACCESS EXCLUSIVE for a moment on the partitioned parent, the table, the default partition and the tables at the other end of its foreign keys; waits for all of them at most as long as the lock timeout
-- licence: none
-- binds: table (oid of the table), patient_ms (milliseconds to wait for VACUUM and DDL to end, while nobody waits for us), strict (boolean: rather not had than that a transaction which is busy elsewhere may miss the last changes)
-- columns: none
-- source: PostgreSQL manual, ALTER TABLE
SELECT drydock_reclaim.take_over(%(table)s::oid, %(patient_ms)s::int, %(strict)s::boolean)
