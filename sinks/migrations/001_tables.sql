-- The output topics as tables. Columns are the fields of the Avro contracts, and the place of the
-- record in Kafka (tests/integration/sinks/test_tables.py holds the two together).
--
-- ORDER BY: a record written again has the same key, so it becomes the same row. lead_scores and
-- lead_velocity hold the state of something (a lead, a part of a window): there the newer record
-- takes the place of the older, as it does in the topic.
-- No PARTITION BY: a block of a replay spans years, and would be cut into a part for each month,
-- or be refused (max_partitions_per_insert_block). Rows also only replace rows of their partition.
-- PROJECTION positions: the sink asks it where to go on, in milliseconds, whatever the table holds.
-- fsync: a block that was acknowledged survives the loss of power.

CREATE TABLE IF NOT EXISTS tier_changes
(
    lead_id String COMMENT 'The lead; also the key of the record, as UTF-8.',
    seq Int64 COMMENT 'Number of the change in the lead\'s life, from 1, without gap.',
    from_tier LowCardinality(String) COMMENT 'Tier that the lead left.',
    from_rank Int32 COMMENT 'Its rank, 0 the lowest.',
    to_tier LowCardinality(String) COMMENT 'Tier that the lead entered.',
    to_rank Int32 COMMENT 'Its rank, 0 the lowest.',
    score Float64 COMMENT 'max(0, engagement + fit + purchase).',
    engagement Float64 COMMENT 'Decayed points for behaviour, after caps.',
    fit Float64 COMMENT 'Points for who the lead is; they do not decay.',
    purchase Float64 COMMENT 'Points for earlier purchases; they do not decay.',
    velocity Float64 COMMENT 'Points a day, by the fast rate.',
    momentum Float64 COMMENT 'Fast rate less slow rate, points a day; above zero while the lead speeds up.',
    reason LowCardinality(String) COMMENT 'event, decay, late_event or model_change; a reader must bear others.',
    occurred_at DateTime64(3, 'UTC') COMMENT 'When it happened, in event time.',
    emitted_at DateTime64(3, 'UTC') COMMENT 'When the worker decided it, by its clock.',
    received_at Nullable(DateTime64(3, 'UTC'))
        COMMENT 'When the triggering event was appended to its topic; null: time or a new model was the cause.',
    cools_at Nullable(DateTime64(3, 'UTC'))
        COMMENT 'When the tier next changes by time alone if nothing happens; null: never.',
    dwell_ms Int64 COMMENT 'How long the lead had been in the tier it left, in milliseconds.',
    trigger_event_id Nullable(String) COMMENT 'The event that caused it; null: time or a new model did.',
    contributions Array(Tuple(signal String, count Float64, points Float64))
        COMMENT 'Signals with points other than 0, largest first, ties by name.',
    model LowCardinality(String) COMMENT 'Name of the scoring model.',
    model_version LowCardinality(String) COMMENT 'Hash of the scoring model.',
    correction_of Nullable(String) COMMENT 'The change that this one corrects, as lead_id:seq.',
    source_topic LowCardinality(String) COMMENT 'Topic of the record that the row is.',
    source_partition Int32 COMMENT 'Its partition.',
    source_offset Int64 COMMENT 'Its offset; partition and offset name the record.',

    PROJECTION positions
    (
        SELECT source_topic, source_partition, max(source_offset)
        GROUP BY source_topic, source_partition
    )
)
ENGINE = ReplacingMergeTree
ORDER BY (lead_id, source_partition, source_offset)
SETTINGS
    non_replicated_deduplication_window = 10000,
    deduplicate_merge_projection_mode = 'rebuild',
    lightweight_mutation_projection_mode = 'rebuild',
    fsync_after_insert = 1,
    fsync_part_directory = 1
COMMENT 'Every change of a lead\'s tier, each once. Read it with FINAL, or through tier_at and transitions_between, to be sure that no row is seen twice.';

CREATE TABLE IF NOT EXISTS scored_events
(
    lead_id String COMMENT 'The lead; also the key of the record, as UTF-8.',
    event_id Nullable(String) COMMENT 'The sender\'s name for the event; null: a timer.',
    event_type LowCardinality(Nullable(String)) COMMENT 'website_visit, email_open or form_fill; null: a timer.',
    occurred_at DateTime64(3, 'UTC') COMMENT 'When the event happened, or the moment that the timer fired for.',
    outcome LowCardinality(String)
        COMMENT 'scored, unmatched, doubled, forwarded or decay; a reader must bear others.',
    signal LowCardinality(Nullable(String)) COMMENT 'Signal that the event was classified as.',
    weight Float64 COMMENT 'What the event counts, 0 to 1; less than 1 for a machine\'s.',
    points Float64 COMMENT 'Points that it added, weight included, before caps.',
    machine Nullable(Bool) COMMENT 'True: made by a machine. False: by a person. Null: unknown, taken as a person\'s.',
    fields Map(String, Nullable(String)) COMMENT 'The event\'s own fields by their contract names.',
    profile Map(String, Nullable(String)) COMMENT 'What the event tells of the lead.',
    input_topic LowCardinality(Nullable(String)) COMMENT 'Topic that the event was read from.',
    input_partition Nullable(Int32) COMMENT 'Partition that it was read from.',
    input_offset Nullable(Int64) COMMENT 'Offset that it was read from.',
    received_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it was appended to that topic.',
    score Nullable(Float64) COMMENT 'Score of the lead after it.',
    tier LowCardinality(Nullable(String)) COMMENT 'Tier of the lead after it.',
    model_version LowCardinality(String) COMMENT 'Hash of the scoring model.',
    source_topic LowCardinality(String) COMMENT 'Topic of the record that the row is.',
    source_partition Int32 COMMENT 'Its partition.',
    source_offset Int64 COMMENT 'Its offset; partition and offset name the record.',

    PROJECTION positions
    (
        SELECT source_topic, source_partition, max(source_offset)
        GROUP BY source_topic, source_partition
    )
)
ENGINE = ReplacingMergeTree
ORDER BY (lead_id, source_partition, source_offset)
SETTINGS
    non_replicated_deduplication_window = 10000,
    deduplicate_merge_projection_mode = 'rebuild',
    lightweight_mutation_projection_mode = 'rebuild',
    fsync_after_insert = 1,
    fsync_part_directory = 1
COMMENT 'Every event as it was understood, each once. Read it with FINAL to be sure that no row is seen twice.';

CREATE TABLE IF NOT EXISTS lead_scores
(
    lead_id String COMMENT 'The lead; also the key of the record, as UTF-8.',
    tier LowCardinality(String) COMMENT 'Tier of the lead.',
    rank Int32 COMMENT 'Its rank, 0 the lowest.',
    since DateTime64(3, 'UTC') COMMENT 'When the lead entered the tier.',
    score Float64 COMMENT 'max(0, engagement + fit + purchase).',
    engagement Float64 COMMENT 'Decayed points for behaviour, after caps.',
    fit Float64 COMMENT 'Points for who the lead is; they do not decay.',
    purchase Float64 COMMENT 'Points for earlier purchases; they do not decay.',
    velocity Float64 COMMENT 'Points a day, by the fast rate.',
    momentum Float64 COMMENT 'Fast rate less slow rate, points a day; above zero while the lead speeds up.',
    as_of DateTime64(3, 'UTC') COMMENT 'Moment that the score and its parts are of.',
    cools_at Nullable(DateTime64(3, 'UTC'))
        COMMENT 'When the tier next changes by time alone if nothing happens; null: never.',
    seq Int64 COMMENT 'Number of tier changes so far.',
    contributions Array(Tuple(signal String, count Float64, points Float64))
        COMMENT 'Signals with points other than 0, largest first, ties by name.',
    counts Array(Tuple(signal String, value Float64, ref DateTime64(3, 'UTC'), half_life_ms Int64))
        COMMENT 'Signals with events so far, in the model\'s order; enough to score the lead at any later moment.',
    model LowCardinality(String) COMMENT 'Name of the scoring model.',
    model_version LowCardinality(String) COMMENT 'Hash of the scoring model.',
    updated_at DateTime64(3, 'UTC') COMMENT 'When the worker wrote it, by its clock.',
    source_topic LowCardinality(String) COMMENT 'Topic of the record that the row is.',
    source_partition Int32 COMMENT 'Its partition.',
    source_offset Int64 COMMENT 'Its offset; partition and offset name the record.',

    PROJECTION positions
    (
        SELECT source_topic, source_partition, max(source_offset)
        GROUP BY source_topic, source_partition
    )
)
ENGINE = ReplacingMergeTree(source_offset)
ORDER BY lead_id
SETTINGS
    non_replicated_deduplication_window = 10000,
    deduplicate_merge_projection_mode = 'rebuild',
    lightweight_mutation_projection_mode = 'rebuild',
    fsync_after_insert = 1,
    fsync_part_directory = 1
COMMENT 'The latest score of each lead. Read it through lead_current, leads_now or lead_score_at: older rows of a lead stay until ClickHouse merges them away.';

CREATE TABLE IF NOT EXISTS lead_velocity
(
    partition Int32 COMMENT 'Task that counted it: the partition of its inputs.',
    segment LowCardinality(String) COMMENT 'Which leads are counted: all.',
    window LowCardinality(String) COMMENT 'Length of the window: minute, hour or day.',
    window_start DateTime64(3, 'UTC') COMMENT 'Begin of the window, in event time.',
    part Int64 COMMENT 'Part of the window; parts of one window add up.',
    version Int64 COMMENT 'Of several records of one part, the one with the highest version holds.',
    hot_leads Int64 COMMENT 'Leads of this task in the highest tier when it was written.',
    transitions Array(Tuple(
        from_tier String, from_rank Int32, to_tier String, to_rank Int32,
        count Int64, dwell_ms_sum Int64,
        dwell_p50_ms Nullable(Float64), dwell_p90_ms Nullable(Float64), dwell_p99_ms Nullable(Float64),
        buckets Array(Tuple(index Int32, count Int64))))
        COMMENT 'Changes by from and to.',
    updated_at DateTime64(3, 'UTC') COMMENT 'When the worker wrote it, by its clock.',
    source_topic LowCardinality(String) COMMENT 'Topic of the record that the row is.',
    source_partition Int32 COMMENT 'Its partition.',
    source_offset Int64 COMMENT 'Its offset; partition and offset name the record.',

    PROJECTION positions
    (
        SELECT source_topic, source_partition, max(source_offset)
        GROUP BY source_topic, source_partition
    )
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (segment, window, window_start, partition, part)
SETTINGS
    non_replicated_deduplication_window = 10000,
    deduplicate_merge_projection_mode = 'rebuild',
    lightweight_mutation_projection_mode = 'rebuild',
    fsync_after_insert = 1,
    fsync_part_directory = 1
COMMENT 'How leads move between tiers, in parts that add up. Read it through funnel_velocity, which adds them.';

CREATE TABLE IF NOT EXISTS dead_letters
(
    topic LowCardinality(String) COMMENT 'Topic that the record was read from.',
    partition Int32 COMMENT 'Its partition.',
    offset Int64 COMMENT 'Its offset.',
    timestamp DateTime64(3, 'UTC') COMMENT 'Its timestamp, by the broker.',
    key Nullable(String) COMMENT 'Its key as it was.',
    value Nullable(String) COMMENT 'Its value as it was.',
    headers Array(Tuple(name String, value String)) COMMENT 'Its headers as they were.',
    reason String COMMENT 'Why it could not be used: a code, a colon and a text.',
    lead_id Nullable(String) COMMENT 'The lead, where it could be read.',
    failed_at DateTime64(3, 'UTC') COMMENT 'When it was set aside, by the worker\'s clock.',
    source_topic LowCardinality(String) COMMENT 'Topic of the record that the row is.',
    source_partition Int32 COMMENT 'Its partition.',
    source_offset Int64 COMMENT 'Its offset; partition and offset name the record.',

    PROJECTION positions
    (
        SELECT source_topic, source_partition, max(source_offset)
        GROUP BY source_topic, source_partition
    )
)
ENGINE = ReplacingMergeTree
ORDER BY (topic, source_partition, source_offset)
SETTINGS
    non_replicated_deduplication_window = 10000,
    deduplicate_merge_projection_mode = 'rebuild',
    lightweight_mutation_projection_mode = 'rebuild',
    fsync_after_insert = 1,
    fsync_part_directory = 1
COMMENT 'Every record that could not be used, each once, with its bytes and the reason. Read it with FINAL to be sure that no row is seen twice.';
