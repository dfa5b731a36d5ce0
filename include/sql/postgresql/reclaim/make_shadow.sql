-- purpose: make the empty copy of a table beside it
-- kind: change
-- engine: postgresql 15-19
-- privileges: owner of the table or member of its owner; CREATE on the database
-- locks: ACCESS SHARE on the table
-- licence: none
-- binds: table (oid of the table)
-- columns: none
-- source: PostgreSQL manual, CREATE TABLE (LIKE)
SELECT drydock_reclaim.make_shadow(%(table)s::oid)
