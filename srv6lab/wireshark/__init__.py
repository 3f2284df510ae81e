"""A lab in Wireshark: one capture of all NICs with what the model says of each packet, and a profile to look at it."""
