-- purpose: take the one lock for changes of this database, at once or not at all; it dies with the session
-- kind: block
-- engine: oracle 11.2-23
-- privileges: EXECUTE ON SYS.DBMS_LOCK
-- locks: a user lock (UL) of the session, exclusive, kept over commits
-- licence: none
-- binds: id (0 to 1073741823), answer (out: 0 taken, 1 another session holds it, 2 deadlock, 3 wrong argument, 4 this session has it already, 5 wrong handle)
-- columns: none
-- source: PL/SQL Packages and Types Reference 19c, DBMS_LOCK.REQUEST
BEGIN
    :answer := dbms_lock.request(id => :id, lockmode => dbms_lock.x_mode, timeout => 0, release_on_commit => FALSE);
END;
