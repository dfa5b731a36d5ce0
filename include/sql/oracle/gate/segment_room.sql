-- purpose: tell how much room there is in the tablespaces of a segment: free extents, and what its files may still grow
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_DATA_FILES, SELECT ON SYS.DBA_FREE_SPACE, SELECT ON SYS.DBA_INDEXES, SELECT ON SYS.DBA_IND_PARTITIONS, SELECT ON SYS.DBA_IND_SUBPARTITIONS, SELECT ON SYS.DBA_SEGMENTS
-- locks: none
-- licence: none
-- binds: owner (of the segment), name (of the segment), partition (its name; null: all of them)
-- columns: tablespace (name), free_bytes (in free extents; null: none), growth_bytes (autoextend up to MAXBYTES; whether the disk has it is not told)
-- source: Database Reference 19c, DBA_SEGMENTS, DBA_FREE_SPACE, DBA_DATA_FILES; an unusable index has no segment (Administrator's Guide 19c, "Making an Index Unusable"), but a tablespace
SELECT
    t.tablespace_name AS tablespace,
    (SELECT sum(f.bytes) FROM dba_free_space f WHERE f.tablespace_name = t.tablespace_name) AS free_bytes,
    (
        SELECT sum(CASE WHEN d.autoextensible = 'YES' AND d.maxbytes > d.bytes THEN d.maxbytes - d.bytes ELSE 0 END)
        FROM dba_data_files d
        WHERE d.tablespace_name = t.tablespace_name
    ) AS growth_bytes
FROM (
    SELECT s.tablespace_name FROM dba_segments s
    WHERE
        s.owner = :owner
        AND s.segment_name = :name
        AND (:partition IS NULL OR s.partition_name = :partition)
    UNION
    SELECT i.tablespace_name FROM dba_indexes i
    WHERE
        i.owner = :owner
        AND i.index_name = :name
        AND i.status = 'UNUSABLE'
        AND :partition IS NULL
    UNION
    SELECT p.tablespace_name FROM dba_ind_partitions p
    WHERE
        p.index_owner = :owner
        AND p.index_name = :name
        AND p.status = 'UNUSABLE'
        AND (:partition IS NULL OR p.partition_name = :partition)
    UNION
    SELECT b.tablespace_name FROM dba_ind_subpartitions b
    WHERE
        b.index_owner = :owner
        AND b.index_name = :name
        AND b.status = 'UNUSABLE'
        AND (:partition IS NULL OR b.subpartition_name = :partition)
) t
WHERE t.tablespace_name IS NOT NULL
