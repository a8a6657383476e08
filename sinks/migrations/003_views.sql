-- What to ask. Names are stable; every view reads its tables with FINAL, so that no row counts twice.
-- A view with a moment in it takes it as an argument, for example
--     SELECT * FROM tier_at(at = '2026-11-23 10:00:00.000') WHERE tier = 'hot'

CREATE VIEW IF NOT EXISTS lead_current AS
SELECT * FROM lead_scores FINAL
COMMENT 'Each lead once, as it was last scored: the score is of as_of and has decayed since.';

CREATE VIEW IF NOT EXISTS lead_score_at AS
WITH
    {at:DateTime64(3, 'UTC')} AS moment,
    mapFromArrays(
        arrayMap(c -> c.1, lead.counts),
        arrayMap(c -> c.2 * exp2(-dateDiff('millisecond', c.3, moment) / c.4), lead.counts)
    ) AS decayed,
    arraySum(
        g -> least(g.1, arraySum(s -> least(s.3, s.2 * decayed[s.1]), g.2)),
        known.groups
    ) AS points,
    moment >= lead.as_of AND notEmpty(known.model_version) AS is_known
SELECT
    lead.lead_id AS lead_id,
    lead.tier AS tier,
    lead.rank AS rank,
    lead.since AS since,
    if(is_known, greatest(0., points + lead.fit + lead.purchase), NULL) AS score,
    if(is_known, points, NULL) AS engagement,
    lead.fit AS fit,
    lead.purchase AS purchase,
    moment AS at,
    lead.as_of AS as_of,
    lead.cools_at AS cools_at,
    lead.model AS model,
    lead.model_version AS model_version
FROM (SELECT * FROM lead_scores FINAL) AS lead
LEFT ANY JOIN score_groups AS known ON known.model_version = lead.model_version
COMMENT 'Score of each lead at a moment from its as_of on, if nothing happens until then. Null before as_of (see lead_engagement_at) and where score_models lacks the model. The tier is the one of as_of.';

CREATE VIEW IF NOT EXISTS leads_now AS
SELECT
    lead.lead_id AS lead_id,
    lead.tier AS tier,
    lead.rank AS rank,
    lead.since AS since,
    ifNull(now_.score, lead.score) AS score,
    ifNull(now_.engagement, lead.engagement) AS engagement,
    lead.fit AS fit,
    lead.purchase AS purchase,
    lead.velocity AS velocity,
    lead.momentum AS momentum,
    lead.as_of AS as_of,
    lead.cools_at AS cools_at,
    lead.contributions AS contributions,
    lead.model AS model,
    lead.model_version AS model_version
FROM (SELECT * FROM lead_scores FINAL) AS lead
LEFT ANY JOIN lead_score_at(at = now64(3, 'UTC')) AS now_ ON now_.lead_id = lead.lead_id
COMMENT 'Each lead with its score at this moment. Velocity, momentum and contributions are of as_of; so is the score of a lead whose clock is ahead of ours.';

CREATE VIEW IF NOT EXISTS hot_leads_now AS
SELECT now_.*
FROM leads_now AS now_
INNER JOIN (SELECT model_version, max(rank) AS highest FROM score_tiers FINAL GROUP BY model_version) AS tiers
    ON tiers.model_version = now_.model_version
WHERE now_.rank = tiers.highest
ORDER BY now_.score DESC, now_.lead_id
COMMENT 'Leads in the highest tier of their model, the highest score first.';

CREATE VIEW IF NOT EXISTS lead_engagement_at AS
WITH {at:DateTime64(3, 'UTC')} AS moment
SELECT
    lead.lead_id AS lead_id,
    if(
        notEmpty(known.model_version),
        arraySum(g -> least(g.1, arraySum(s -> least(s.3, s.2 * lead.counts[s.1]), g.2)), known.groups),
        NULL
    ) AS engagement,
    lead.counts AS counts,
    lead.events AS events,
    moment AS at,
    lead.model_version AS model_version
FROM
(
    SELECT
        event.lead_id AS lead_id,
        argMax(event.model_version, event.source_offset) AS model_version,
        count() AS events,
        sumMap(map(
            assumeNotNull(event.signal),
            event.weight * exp2(-dateDiff('millisecond', event.occurred_at, moment) / rule.half_life_ms)
        )) AS counts
    FROM
    (
        SELECT lead_id, toString(signal) AS signal, weight, occurred_at, model_version, source_offset
        FROM scored_events FINAL
        WHERE outcome = 'scored' AND signal IS NOT NULL AND occurred_at <= moment
    ) AS event
    INNER JOIN (SELECT model_version, signal, half_life_ms FROM score_models FINAL) AS rule
        ON rule.model_version = event.model_version AND rule.signal = event.signal
    GROUP BY event.lead_id
) AS lead
LEFT ANY JOIN score_groups AS known ON known.model_version = lead.model_version
COMMENT 'Engagement of each lead at any moment, past ones too, added up from its events until then; the score without fit and purchase. Leads without a signal until then are left out.';

CREATE VIEW IF NOT EXISTS tier_at AS
SELECT
    lead_id,
    argMax(to_tier, seq) AS tier,
    argMax(to_rank, seq) AS rank,
    argMax(occurred_at, seq) AS since,
    max(seq) AS changes
FROM tier_changes FINAL
WHERE occurred_at <= {at:DateTime64(3, 'UTC')}
GROUP BY lead_id
COMMENT 'Tier of each lead at a moment, by the changes until then. A lead that never changed is in the lowest tier and is left out.';

CREATE VIEW IF NOT EXISTS transitions_between AS
SELECT
    from_tier,
    from_rank,
    to_tier,
    to_rank,
    count() AS changes,
    uniqExact(lead_id) AS leads,
    avg(dwell_ms) AS dwell_mean_ms,
    quantileExactInclusive(0.5)(dwell_ms) AS dwell_p50_ms,
    quantileExactInclusive(0.9)(dwell_ms) AS dwell_p90_ms,
    quantileExactInclusive(0.99)(dwell_ms) AS dwell_p99_ms
FROM tier_changes FINAL
WHERE occurred_at >= {begin:DateTime64(3, 'UTC')} AND occurred_at < {end:DateTime64(3, 'UTC')}
GROUP BY from_tier, from_rank, to_tier, to_rank
COMMENT 'Tier changes from begin until before end, by from and to, with the exact times in the tier that was left.';

CREATE VIEW IF NOT EXISTS funnel_velocity AS
WITH
    1.01 / 0.99 AS gamma,
    q -> arrayElement(
        histogram.1,
        arrayFirstIndex(upto -> upto > floor(q * (changes - 1)), arrayCumSum(histogram.2))
    ) AS bucket_of,
    bucket -> if(bucket = -1, 0., 2 * pow(gamma, bucket) / (gamma + 1)) AS ms_of
SELECT
    segment,
    window,
    window_start,
    from_tier,
    from_rank,
    to_tier,
    to_rank,
    changes,
    dwell_ms_sum / changes AS dwell_mean_ms,
    ms_of(bucket_of(0.5)) AS dwell_p50_ms,
    ms_of(bucket_of(0.9)) AS dwell_p90_ms,
    ms_of(bucket_of(0.99)) AS dwell_p99_ms
FROM
(
    SELECT
        segment,
        window,
        window_start,
        passage.1 AS from_tier,
        passage.2 AS from_rank,
        passage.3 AS to_tier,
        passage.4 AS to_rank,
        sum(passage.5) AS changes,
        sum(passage.6) AS dwell_ms_sum,
        sumMap(arrayMap(b -> b.1, passage.10), arrayMap(b -> b.2, passage.10)) AS histogram
    FROM (SELECT * FROM lead_velocity FINAL)
    ARRAY JOIN transitions AS passage
    GROUP BY segment, window, window_start, from_tier, from_rank, to_tier, to_rank
)
COMMENT 'Tier changes by segment, window and from-to, over all partitions. Quantiles of the time in the tier that was left are within 1 %.';

CREATE VIEW IF NOT EXISTS funnel_hot_leads AS
SELECT
    segment,
    sum(hot) AS hot_leads,
    max(updated) AS updated_at
FROM
(
    SELECT segment, partition, argMax(hot_leads, source_offset) AS hot, max(updated_at) AS updated
    FROM lead_velocity FINAL
    GROUP BY segment, partition
)
GROUP BY segment
COMMENT 'How many leads are in the highest tier now, by the tier changes so far.';
