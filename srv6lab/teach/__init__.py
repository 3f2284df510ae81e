"""Learning with a lab: tasks that are begun, hinted at, solved and scored; faults that are planted."""
