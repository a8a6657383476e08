-- What the sink knows of the topics that its rows come from, and the records that became no rows.

CREATE TABLE IF NOT EXISTS source_topics
(
    source_topic LowCardinality(String) COMMENT 'Topic that rows come from.',
    topic_id String COMMENT 'Kafka\'s own id of it; a topic that is deleted and made anew has another.',
    noted_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When a sink first read it.'
)
ENGINE = ReplacingMergeTree
ORDER BY (source_topic, topic_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Which topics the rows come from. A sink refuses to start on another topic of the same name: its offsets would name other records.';

CREATE TABLE IF NOT EXISTS source_positions
(
    source_topic LowCardinality(String) COMMENT 'Topic that rows come from.',
    source_partition Int32 COMMENT 'A partition of it.',
    position Int64 COMMENT 'No record before this offset is wanted any more: each is held, or was given up.',
    noted_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When it was noted.'
)
ENGINE = ReplacingMergeTree(position)
ORDER BY (source_topic, source_partition)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Where sinks go on if that is further than their rows say: offsets may be taken by marks of transactions, which are no rows. Sinks note it now and then.';

CREATE TABLE IF NOT EXISTS rejected_rows
(
    source_topic LowCardinality(String) COMMENT 'Topic of the record.',
    source_partition Int32 COMMENT 'Its partition.',
    source_offset Int64 COMMENT 'Its offset.',
    reason String COMMENT 'Why it is no row of its table.',
    record String COMMENT 'What it says, as JSON: its fields, bytes among them as base64; one that could not be read has its bytes in value_base64.',
    rejected_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When it was set aside, by ClickHouse\'s clock.'
)
ENGINE = ReplacingMergeTree
ORDER BY (source_topic, source_partition, source_offset)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Records of output topics that are no rows of their tables: ClickHouse refuses a value, or somebody else wrote them. Read it with FINAL.';
