-- purpose: read one piece of a large object
-- kind: read
-- engine: postgresql 14-19
-- privileges: SELECT on the large object
-- locks: none
-- licence: none
-- binds: number (oid of the large object), skipped (bytes before the piece), piece_bytes (length of the piece)
-- columns: piece (bytes; empty past the end)
-- source: PostgreSQL manual, Large Objects, Server-Side Functions: lo_get
SELECT lo_get(%(number)s::oid, %(skipped)s::bigint, %(piece_bytes)s::integer) AS piece
