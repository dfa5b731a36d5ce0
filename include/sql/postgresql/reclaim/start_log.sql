-- purpose: begin to write down the keys of changed rows
-- kind: change
-- engine: postgresql 15-19
-- privileges: owner of the table or member of its owner; CREATE on the database
-- locks: SHARE UPDATE EXCLUSIVE on the table, then SHARE ROW EXCLUSIVE for a moment: writers wait, at most as long as the lock timeout
-- licence: none
-- binds: table (oid of the table), patient_ms (milliseconds to wait for VACUUM and DDL to end, while nobody waits for us)
-- columns: none
-- source: PostgreSQL manual, CREATE TRIGGER
SELECT drydock_reclaim.start_log(%(table)s::oid, %(patient_ms)s::int)
