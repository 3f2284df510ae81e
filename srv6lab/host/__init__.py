"""What this machine is and has: asked before a lab needs it, and by `invoke doctor`."""
