"""A drawing for each role, of 18 by 18 px around its middle, as SVG paths of a line."""

from __future__ import annotations

from collections.abc import Mapping

# Screen and foot; a disk with four arrows; two arrows that part and meet; a shield.
ICONS: Mapping[str, str] = {
    "host": "M-8,-7H8V4H-8ZM-4,8H4M0,4V8",
    "router": "M-8,0A8,8 0 1,1 8,0A8,8 0 1,1 -8,0M-6,0H-1M-3,-2L-1,0L-3,2M6,0H1M3,-2L1,0L3,2M0,-2V-6M-2,-4L0,-6L2,-4M0,2V6M-2,4L0,6L2,4",
    "sr-proxy": "M-8,-4H5M2,-7L5,-4L2,-1M8,4H-5M-2,1L-5,4L-2,7",
    "service": "M0,-8L7,-5V0C7,4 4,7 0,8C-4,7 -7,4 -7,0V-5ZM-3,0L-1,3L4,-3",
}
