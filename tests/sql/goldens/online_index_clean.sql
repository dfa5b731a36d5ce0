BEGIN
    :cleaned := sys.diutil.bool_to_int(
        dbms_repair.online_index_clean(object_id => :object_id, wait_for_lock => dbms_repair.lock_nowait)
    );
END;
