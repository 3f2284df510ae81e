"""What is wrong with a file, in the words of someone who writes topologies.

One module for each tool whose own words don't help: `syntax` for the YAML parser, `schema` and `kinds`
for pydantic, `addresses` for `ipaddress`; `nearest` guesses what was meant.
"""
