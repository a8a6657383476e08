"""The same small job written for other engines; each file is a program of its own."""
