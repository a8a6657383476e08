"""The engine inside Faust: tasks, transport, transactions, changelog."""
