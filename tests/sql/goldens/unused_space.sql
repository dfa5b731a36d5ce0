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
