-- purpose: tell which table is being copied and whether the copy took its place; only while there is a copy
-- kind: read
-- engine: postgresql 15-19
-- privileges: made the schema drydock_reclaim
-- locks: none
-- licence: none
-- binds: none
-- columns: original (oid of the table), filenode (its relfilenode), shadow (oid of the copy), is_swapped (the copy took the place)
-- source: PostgreSQL manual, SELECT
SELECT original, filenode, shadow, is_swapped FROM drydock_reclaim.drydock_state
