"""Plan → {path: content}: Day0, the Vagrantfile and what it names, topologies of other tools."""
