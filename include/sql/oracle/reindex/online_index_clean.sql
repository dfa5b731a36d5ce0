-- purpose: remove what an interrupted online rebuild of one index left behind
-- kind: block
-- engine: oracle 11.2-23
-- privileges: EXECUTE ON SYS.DBMS_REPAIR
-- locks: exclusive on the index, for a moment, where nobody holds it
-- licence: none
-- binds: object_id (of the index or its piece, never all), cleaned (out: 1 where nothing is left of it, else 0)
-- columns: none
-- source: PL/SQL Packages and Types Reference 19c, DBMS_REPAIR.ONLINE_INDEX_CLEAN
BEGIN
    :cleaned := sys.diutil.bool_to_int(
        dbms_repair.online_index_clean(object_id => :object_id, wait_for_lock => dbms_repair.lock_nowait)
    );
END;
