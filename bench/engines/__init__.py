"""How each engine is started, and where its answers are read."""
