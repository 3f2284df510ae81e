"""Where a lab runs: each provider does what `base.Provider` says, and has its record in records/."""
