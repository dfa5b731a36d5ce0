-- purpose: tell how much of a segment lies above its high-water mark
-- kind: block
-- engine: oracle 11.2-23
-- privileges: ANALYZE ANY, or owner of the segment
-- locks: none
-- licence: none
-- binds: owner (of the segment), name (of the segment), type (TABLE, TABLE PARTITION, INDEX, ...), partition (name, or null), total_blocks (out), total_bytes (out), unused_blocks (out), unused_bytes (out), last_used_extent_file_id (out), last_used_extent_block_id (out), last_used_block (out)
-- columns: none
-- source: PL/SQL Packages and Types Reference 19c, DBMS_SPACE.UNUSED_SPACE
BEGIN
    dbms_space.unused_space(
        segment_owner => :owner,
        segment_name => :name,
        segment_type => :type,
        total_blocks => :total_blocks,
        total_bytes => :total_bytes,
        unused_blocks => :unused_blocks,
        unused_bytes => :unused_bytes,
        last_used_extent_file_id => :last_used_extent_file_id,
        last_used_extent_block_id => :last_used_extent_block_id,
        last_used_block => :last_used_block,
        partition_name => :partition
    );
END;
