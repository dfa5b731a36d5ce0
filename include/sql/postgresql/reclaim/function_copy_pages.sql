-- purpose: copy the rows of some pages of a table as they are now
-- kind: change
-- engine: postgresql 15-19
-- privileges: owner of the table or member of its owner; CREATE on the database
-- locks: none beyond catalogue rows
-- licence: none
-- binds: none
-- columns: none
-- source: PostgreSQL manual, INSERT; System Columns (ctid)
CREATE FUNCTION drydock_reclaim.copy_pages(p_table oid, p_from bigint, p_below bigint) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off
AS $$
DECLARE
    copied bigint;
BEGIN
    EXECUTE format('INSERT INTO drydock_reclaim_new.%I (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM ONLY %s'
        ' WHERE ctid >= %L::tid AND ctid < %L::tid',
        (SELECT relname FROM pg_class WHERE oid = p_table), drydock_reclaim.row_columns(p_table, ''),
        drydock_reclaim.row_columns(p_table, ''), drydock_reclaim.full_name(p_table),
        format('(%s,0)', p_from), format('(%s,0)', p_below));
    GET DIAGNOSTICS copied = ROW_COUNT;
    RETURN copied;
END
$$
