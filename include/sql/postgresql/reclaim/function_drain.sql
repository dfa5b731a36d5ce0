-- purpose: carry over what was changed meanwhile: the rows of all keys in the log, as one statement sees them
-- kind: change
-- engine: postgresql 15-19
-- privileges: owner of the table or member of its owner; CREATE on the database
-- locks: none beyond catalogue rows
-- licence: none
-- binds: none
-- columns: none
-- source: PostgreSQL manual, WITH Queries (Data-Modifying Statements)
CREATE FUNCTION drydock_reclaim.drain(p_table oid) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off
AS $$
DECLARE
    carried bigint;
BEGIN
    EXECUTE drydock_reclaim.drain_text(p_table) INTO STRICT carried;
    UPDATE drydock_reclaim.drydock_state SET drained = pg_current_xact_id();
    RETURN carried;
END
$$
