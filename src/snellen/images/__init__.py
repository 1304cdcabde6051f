"""Images: where they come from, and the one place where they are decoded.

    source = snellen.images.open.open_source("photos")
    picture = snellen.images.decode.decode(source.read(source.refs()[0], 2**28))

Nothing is imported here: decode workers start with what decoding needs, and no more.
"""
