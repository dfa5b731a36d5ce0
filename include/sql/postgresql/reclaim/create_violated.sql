-- purpose: make the list of foreign keys that rows violate already
-- kind: change
-- engine: postgresql 15-19
-- privileges: owner of the table or member of its owner; CREATE on the database
-- locks: none beyond catalogue rows
-- licence: none
-- binds: none
-- columns: none
-- source: PostgreSQL manual, CREATE TABLE
CREATE TABLE drydock_reclaim.drydock_violated (
    name text NOT NULL
)
