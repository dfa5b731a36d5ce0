-- purpose: copy the rows of some pages of a table as they are now, or of all of them
-- kind: change
-- engine: postgresql 15-19
-- privileges: owner of the table or member of its owner; CREATE on the database
-- locks: none beyond catalogue rows
-- licence: none
-- binds: none
-- columns: none
-- source: PostgreSQL manual, INSERT; System Columns (ctid); synchronize_seqscans; src/backend/storage/buffer/README (Buffer Ring Replacement Strategy)
CREATE FUNCTION drydock_reclaim.copy_pages(p_table oid, p_from bigint, p_below bigint) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET synchronize_seqscans = off
AS $$
DECLARE
    copied bigint;
BEGIN
    -- all pages, told by no number, are read by a plain scan: of a large table it keeps a few of them in memory at a time, where
    -- one by row places pushes out what others need there, the pages that it comes to next among them
    EXECUTE format('INSERT INTO drydock_reclaim_new.%I (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM ONLY %s%s',
        (SELECT relname FROM pg_class WHERE oid = p_table), drydock_reclaim.row_columns(p_table, ''),
        drydock_reclaim.row_columns(p_table, ''), drydock_reclaim.full_name(p_table),
        CASE WHEN p_below IS NOT NULL THEN
            format(' WHERE ctid >= %L::tid AND ctid < %L::tid', format('(%s,0)', p_from), format('(%s,0)', p_below))
        ELSE '' END);
    GET DIAGNOSTICS copied = ROW_COUNT;
    RETURN copied;
END
$$
