"""Filters name, cheaply, the pairs that may pass the blind condition; `snellen.mining.join.exact` decides on them.

`choose` takes one of three by what it would cost: `scan`, the compiled scan of small-integer sketches (`sketch`);
`prefix`, the portable float32 product of a few coordinates; or none, where multiplying everything out is cheapest.
`product` is the one for GPUs.
"""
