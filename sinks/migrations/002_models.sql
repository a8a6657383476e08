-- Scoring models, so that SQL can score: `leadvelocity setup` and each worker put theirs here.

CREATE TABLE IF NOT EXISTS score_models
(
    model LowCardinality(String) COMMENT 'Name of the scoring model.',
    model_version String COMMENT 'Hash of the scoring model.',
    signal String COMMENT 'Name of the signal.',
    event_type LowCardinality(String) COMMENT 'Which events it takes.',
    points Float64 COMMENT 'Worth of one event by a person; negative for a penalty.',
    half_life_ms Int64 COMMENT 'Half-life in milliseconds.',
    cap Nullable(Float64) COMMENT 'The most that the signal adds to a score; null: no limit.',
    signal_group Nullable(String) COMMENT 'Group that it shares a cap with; null: none.',
    group_cap Nullable(Float64) COMMENT 'The most that the group adds to a score; null: no limit.'
)
ENGINE = ReplacingMergeTree
ORDER BY (model_version, signal)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Signals of every scoring model that was used.';

CREATE TABLE IF NOT EXISTS score_tiers
(
    model LowCardinality(String) COMMENT 'Name of the scoring model.',
    model_version String COMMENT 'Hash of the scoring model.',
    rank Int32 COMMENT 'Rank of the tier, 0 the lowest.',
    tier String COMMENT 'Name of the tier.',
    enter Float64 COMMENT 'Score from which a lead enters it.',
    exit Float64 COMMENT 'Score below which a lead leaves it.',
    dwell_ms Int64 COMMENT 'A lead falls out of it not before so many milliseconds.'
)
ENGINE = ReplacingMergeTree
ORDER BY (model_version, rank)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Tiers of every scoring model that was used. They are put here after its signals: a model with tiers is whole.';

CREATE VIEW IF NOT EXISTS score_groups AS
SELECT
    known.model_version AS model_version,
    grouped.groups AS groups
FROM (SELECT DISTINCT model_version FROM score_tiers) AS known
LEFT ANY JOIN
(
    SELECT
        model_version,
        groupArray((most, signals)) AS groups
    FROM
    (
        SELECT
            model_version,
            ifNull(any(group_cap), inf) AS most,
            groupArray((signal, points, ifNull(cap, inf))) AS signals
        FROM score_models FINAL
        GROUP BY model_version, signal_group
    )
    GROUP BY model_version
) AS grouped ON grouped.model_version = known.model_version
COMMENT 'Each known model in one row, as the score views compute with it: (cap, [(signal, points, cap)]) by group.';
