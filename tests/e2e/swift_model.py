"""A model whose tiers change within seconds; scores only fall between events."""

import yaml

MODEL_TEXT = """
model: swift
half_life: 20s
signals:
  - {name: pricing, on: website_visit, when: {path: "/pricing*"}, points: 8, half_life: 15s,
     cap: 24, group: product}
  - {name: page, on: website_visit, when: {path: "/*"}, points: 2, cap: 15, group: product}
  - {name: mail, on: email_open, points: 3, cap: 10}
  - {name: demo, on: form_fill, when: {form_id: [demo, contact]}, points: 40, half_life: 30s}
groups: {product: {cap: 30}}
fit: [{when: {country: [US, DE]}, points: 3}]
tiers: [{name: hot, enter: 50.3, exit: 38.7}, {name: warm, enter: 20.7, exit: 15.1, dwell: 2s},
        {name: cold}]
machine: {weight: 0.2}
"""
MODEL = yaml.safe_load(MODEL_TEXT.replace("on:", '"on":'))  # YAML 1.1 takes a bare `on` for true
