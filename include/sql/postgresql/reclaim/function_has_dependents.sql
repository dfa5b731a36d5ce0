-- purpose: tell whether a DROP TABLE without CASCADE would be refused: something hangs on a table, its row type, its parts
-- kind: change
-- engine: postgresql 15-19
-- privileges: owner of the table or member of its owner; CREATE on the database
-- locks: none until it is called
-- licence: none
-- binds: none
-- columns: none
-- source: PostgreSQL manual, Dependency Tracking; pg_depend
CREATE FUNCTION drydock_reclaim.has_dependents(p_table oid) RETURNS boolean
-- its one plan is kept, so that the call under the lock does not make it anew. It is asked of the catalogue: to try the DROP
-- and take it back tells the same, and keeps others out for milliseconds more. By its indexes, however large the catalogue is
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off
AS $$
BEGIN
    RETURN (
        WITH RECURSIVE parts (classid, objid) AS (
            -- what goes with the table by itself: types, indexes, constraints, defaults, triggers, policies, statistics
            SELECT 'pg_class'::regclass::oid, p_table
            UNION
            SELECT d.classid, d.objid
            FROM parts p
            JOIN pg_depend d ON d.refclassid = p.classid AND d.refobjid = p.objid
            WHERE d.deptype <> 'n'
        )
        SELECT EXISTS (
            SELECT FROM parts p
            JOIN pg_depend d ON d.refclassid = p.classid AND d.refobjid = p.objid
            WHERE d.deptype = 'n' AND NOT EXISTS (SELECT FROM parts o WHERE o.classid = d.classid AND o.objid = d.objid)
        ));
END
$$
