-- purpose: make the one row that says which table is being copied and whether the copy took its place
-- kind: change
-- engine: postgresql 15-19
-- privileges: owner of the table or member of its owner; CREATE on the database
-- locks: none beyond catalogue rows
-- licence: none
-- binds: none
-- columns: none
-- source: PostgreSQL manual, CREATE TABLE
CREATE TABLE drydock_reclaim.drydock_state (
    original oid NOT NULL,
    filenode oid NOT NULL,
    shadow oid NOT NULL,
    is_swapped boolean NOT NULL,
    columns int2[] NOT NULL,
    full_name text NOT NULL,
    drained xid8,
    before_lock_s float8,
    lock_wait_s float8,
    lock_held_s float8
)
