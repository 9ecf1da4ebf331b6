"""What an outage took, where the demand went, and what in the records only looks like one."""
