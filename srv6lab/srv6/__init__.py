"""The protocol: SIDs, behaviors and headers. Knows nothing about labs."""
