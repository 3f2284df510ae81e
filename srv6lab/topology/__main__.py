"""`python -m srv6lab.topology` prints the JSON Schema of a topology file."""

import json
import sys

from srv6lab.topology.json_schema import json_schema

json.dump(json_schema(), sys.stdout, indent=2, sort_keys=True)
sys.stdout.write("\n")
