"""A lab's walks as one page: its data here, in plain values; `html` makes the page of them."""
