-- purpose: make a schema of Drydock's own, in which leftovers of a copy are recognised
-- kind: change
-- engine: postgresql 15-19
-- privileges: owner of the table or member of its owner; CREATE on the database
-- locks: none beyond catalogue rows
-- licence: none
-- binds: schema (identifier: drydock_reclaim for machinery, drydock_reclaim_new for the copy)
-- columns: none
-- source: PostgreSQL manual, CREATE SCHEMA
CREATE SCHEMA {schema}
