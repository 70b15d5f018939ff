"""Many records: run networks and methods over a folder into a store, query it, and sum it up."""
