"""The names of the topics."""

WEBSITE_VISITS = "website-visits"
EMAIL_OPENS = "email-opens"
FORM_FILLS = "form-fills"
REROUTED_EVENTS = "rerouted-events"

TIER_CHANGES = "tier-changes"
LEAD_SCORES = "lead-scores"
LEAD_VELOCITY = "lead-velocity"
SCORED_EVENTS = "scored-events"
DEAD_LETTERS = "dead-letters"

INPUT_TOPICS = (WEBSITE_VISITS, EMAIL_OPENS, FORM_FILLS)
"""Topics that senders write to; of events at the same moment, the earlier topic goes first."""

OUTPUT_TOPICS = (TIER_CHANGES, LEAD_SCORES, LEAD_VELOCITY, SCORED_EVENTS, DEAD_LETTERS)
"""Topics that the workers write and the sink stores."""
