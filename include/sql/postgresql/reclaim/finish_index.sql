-- purpose: make an index of the copy what it is on the table
-- kind: change
-- engine: postgresql 15-19
-- privileges: owner of the table or member of its owner; CREATE on the database
-- locks: none on the table
-- licence: none
-- binds: table (oid of the table), index (oid of the index)
-- columns: none
-- source: PostgreSQL manual, ALTER TABLE
SELECT drydock_reclaim.finish_index(%(table)s::oid, %(index)s::oid)
