"""What tshark saw in pcaps: `reading` reads them, `probes` finds an exercise's packets among what was read.

Providers cut pcaps with `pcap` alone, so that `up` doesn't wait for pyshark: nothing is imported here.
"""
