-- purpose: carry over the rows whose keys are in the log
-- kind: change
-- engine: postgresql 15-19
-- privileges: owner of the table or member of its owner; CREATE on the database
-- locks: ACCESS SHARE on the table
-- licence: none
-- binds: table (oid of the table)
-- columns: none
-- source: PostgreSQL manual, WITH Queries
SELECT drydock_reclaim.drain(%(table)s::oid)
