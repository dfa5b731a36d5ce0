-- purpose: give the text that compares the key of two rows, with the very operators of the key's index
-- kind: change
-- engine: postgresql 15-19
-- privileges: owner of the table or member of its owner; CREATE on the database
-- locks: none beyond catalogue rows
-- licence: none
-- binds: none
-- columns: none
-- source: PostgreSQL manual, CREATE FUNCTION
CREATE FUNCTION drydock_reclaim.key_condition(p_table oid, p_left text, p_right text) RETURNS text
-- in this language its plan is kept: it is asked many times, and planning it costs milliseconds
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
    RETURN (
        SELECT string_agg(
            format('%I.%I OPERATOR(%I.%s) %I.%I', p_left, a.attname, n.nspname, o.oprname, p_right, a.attname),
            ' AND ' ORDER BY k.place
        )
        FROM pg_index i
        CROSS JOIN LATERAL unnest(i.indkey::int2[], i.indclass::oid[]) WITH ORDINALITY AS k (attnum, opclass, place)
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
        JOIN pg_opclass c ON c.oid = k.opclass
        JOIN pg_amop m ON m.amopfamily = c.opcfamily AND m.amoplefttype = c.opcintype
            AND m.amoprighttype = c.opcintype AND m.amopstrategy = 3
        JOIN pg_operator o ON o.oid = m.amopopr
        JOIN pg_namespace n ON n.oid = o.oprnamespace
        WHERE i.indexrelid = drydock_reclaim.key_of(p_table) AND k.place <= i.indnkeyatts);
END
$$
