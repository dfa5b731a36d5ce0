-- purpose: build one index of a table on its copy; a copy may have several built at a time, each in a session of its own
-- kind: change
-- engine: postgresql 15-19
-- privileges: owner of the table or member of its owner; CREATE on the database
-- locks: none on the table
-- licence: none
-- binds: table (oid of the table), index (oid of the index), abreast (how many are built at a time)
-- columns: none
-- source: PostgreSQL manual, CREATE INDEX
SELECT drydock_reclaim.build_index(%(table)s::oid, %(index)s::oid, %(abreast)s::int)
