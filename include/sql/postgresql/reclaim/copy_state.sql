-- purpose: tell which table is being copied and whether the copy took its place; only while there is a copy
-- kind: read
-- engine: postgresql 15-19
-- privileges: made the schema drydock_reclaim
-- locks: none
-- licence: none
-- binds: none
-- columns: original (oid of the table), filenode (its relfilenode), shadow (oid of the copy), is_swapped (the copy took the place), before_lock_s (seconds of the last short statement before it asked for the lock that keeps others out), lock_wait_s (seconds until the take-over had all of its locks), lock_held_s (seconds from then to its end; null: not yet)
-- source: PostgreSQL manual, SELECT
SELECT original, filenode, shadow, is_swapped, before_lock_s, lock_wait_s, lock_held_s FROM drydock_reclaim.drydock_state
