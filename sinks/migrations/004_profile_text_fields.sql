-- Form answers keep their types: the map `profile` holds texts, and alone cannot tell "200" from 200.

ALTER TABLE scored_events
    ADD COLUMN IF NOT EXISTS profile_text_fields Array(String)
    COMMENT 'Names of answers in profile that came as text although they read as a number or a truth value; empty in rows of earlier versions.'
    AFTER profile;
