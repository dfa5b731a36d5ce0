-- purpose: tell how much of a SecureFiles LOB segment is used, expired and still kept
-- kind: block
-- engine: oracle 11.2-23
-- privileges: ANALYZE ANY, or owner of the segment
-- locks: none
-- licence: none
-- binds: owner (of the segment), name (of the LOB segment), type (LOB, LOB PARTITION, LOB SUBPARTITION), partition (name of the LOB partition, or null), segment_size_blocks (out), segment_size_bytes (out), used_blocks (out), used_bytes (out), expired_blocks (out), expired_bytes (out), unexpired_blocks (out), unexpired_bytes (out)
-- columns: none
-- source: PL/SQL Packages and Types Reference 19c, DBMS_SPACE.SPACE_USAGE, second form
BEGIN
    dbms_space.space_usage(
        segment_owner => :owner,
        segment_name => :name,
        segment_type => :type,
        segment_size_blocks => :segment_size_blocks,
        segment_size_bytes => :segment_size_bytes,
        used_blocks => :used_blocks,
        used_bytes => :used_bytes,
        expired_blocks => :expired_blocks,
        expired_bytes => :expired_bytes,
        unexpired_blocks => :unexpired_blocks,
        unexpired_bytes => :unexpired_bytes,
        partition_name => :partition
    );
END;
