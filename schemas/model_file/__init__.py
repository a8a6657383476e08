"""Model files: YAML text to the core's model, or all that is wrong with it.

The file lists signals (first match wins), groups with caps, fit rules, and tiers with the hottest
first; `models/default.yaml` shows every key.
"""

from schemas.model_file.load import json_schema, load
from schemas.model_file.problems import ModelError, Problem

__all__ = ["ModelError", "Problem", "json_schema", "load"]
