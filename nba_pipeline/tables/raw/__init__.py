"""What the sources said, typed and keyed, one partition per game date. Rows that break the contract go to quarantine."""
