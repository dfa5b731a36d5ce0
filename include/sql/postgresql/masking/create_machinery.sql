-- purpose: the schema in which Drydock keeps what it knows of copies; having it marks the database as one for copies
-- kind: change
-- engine: postgresql 14-19
-- privileges: CREATE on the database
-- locks: none
-- licence: none
-- binds: none
-- columns: none
-- source: PostgreSQL manual, CREATE SCHEMA
CREATE SCHEMA IF NOT EXISTS drydock_masking
