"""The demo: lifelike traffic through the whole pipeline, and the books at the end."""
