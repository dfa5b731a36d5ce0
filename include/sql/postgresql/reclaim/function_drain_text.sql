-- purpose: give the text of the statement that carries over what was changed meanwhile
-- kind: change
-- engine: postgresql 15-19
-- privileges: owner of the table or member of its owner; CREATE on the database
-- locks: none until it is called
-- licence: none
-- binds: none
-- columns: none
-- source: PostgreSQL manual, WITH Queries (Data-Modifying Statements)
CREATE FUNCTION drydock_reclaim.drain_text(p_table oid) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    shadow text := (SELECT format('drydock_reclaim_new.%I', relname) FROM pg_class WHERE oid = p_table);
BEGIN
    -- one statement, one snapshot: the log, the table and the copy are seen at the same moment. All rows of the keys are
    -- taken away (done) before the first is put in again, so that unique values may wander between rows
    RETURN format(
        'WITH taken AS (DELETE FROM drydock_reclaim.drydock_changes RETURNING *),'
        ' keys AS MATERIALIZED (SELECT DISTINCT * FROM taken),'
        ' gone AS (DELETE FROM %1$s AS s USING keys AS k WHERE %2$s RETURNING 1),'
        ' done AS MATERIALIZED (SELECT count(*) AS n FROM gone),'
        ' put AS (INSERT INTO %1$s (%3$s) OVERRIDING SYSTEM VALUE'
        ' SELECT %4$s FROM ONLY %5$s AS o JOIN keys AS k ON %6$s WHERE (SELECT n FROM done) >= 0)'
        ' SELECT count(*) FROM keys', -- how many keys were changed; a row that is gone counts too
        shadow, drydock_reclaim.key_condition(p_table, 's', 'k'), drydock_reclaim.row_columns(p_table, ''),
        drydock_reclaim.row_columns(p_table, 'o.'), drydock_reclaim.full_name(p_table),
        drydock_reclaim.key_condition(p_table, 'o', 'k'));
END
$$
