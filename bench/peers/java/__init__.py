"""The job for engines in Java, and the jars that they need."""
