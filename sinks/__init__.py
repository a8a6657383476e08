"""Where rows go: the port, and ClickHouse behind it."""
