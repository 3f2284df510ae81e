"""Another kernel on this machine: a machine booted under qemu with this machine's files, commands run in it."""
