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
